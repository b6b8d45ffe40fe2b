// Loaded into js-ipfs before its own code (node --import).

import { register } from 'node:module'
import { pathToFileURL } from 'node:url'

// js-ipfs calls Promise.withResolvers, which Node has from version 22 on.
Promise.withResolvers ??= function () {
  let resolve, reject
  const promise = new this((onResolve, onReject) => {
    resolve = onResolve
    reject = onReject
  })
  return { promise, resolve, reject }
}

// When a wait for a block runs out of time, js-ipfs leaves a second rejection unhandled, and its
// command line exits on that. A daemon has to outlive a request for content that is not there.
const once = process.once
process.once = function (event, listener) {
  return event === 'unhandledRejection' ? this : once.call(this, event, listener)
}
process.on('unhandledRejection', (error) => console.error('unhandled rejection:', error.message))

// Its packages bring several versions of what reads addresses, none of which takes another's, so
// that no address of a swarm is taken for one. All get those that js-ipfs itself brings.
const modules = pathToFileURL(process.argv[1].replace(/node_modules\/.*/, 'node_modules/'))
const hook = `
  const own = {
    '@multiformats/multiaddr': '${new URL('ipfs-core/src/index.js', modules)}',
    '@multiformats/mafmt': '${new URL('ipfs/src/index.js', modules)}'
  }
  export function resolve(specifier, context, next) {
    const parentURL = own[specifier.split('/').slice(0, 2).join('/')] ?? context.parentURL
    return next(specifier, { ...context, parentURL })
  }
`
register('data:text/javascript,' + encodeURIComponent(hook))
