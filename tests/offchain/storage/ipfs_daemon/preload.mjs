// Loaded into js-ipfs before its own code (node --import).

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
