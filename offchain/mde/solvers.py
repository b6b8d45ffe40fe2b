"""Solving (H + damping) x = b for inverse-Hessian-vector products, with the convergence reported.

All work on several right-hand sides b (R, P) at once and see the curvature by its products alone,
so that one pass over the data serves all of them.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field

import torch

from offchain.data.imageset import Progress
from offchain.data.seeds import generator
from offchain.mde.errors import MdeError, NotConverged, SingularHessian, TooLarge

Products = Callable[[torch.Tensor], torch.Tensor]
"""(R, P) vectors to (R, P): the curvature, regularisation and damping included, times each."""

_SINGULAR = 1e-6
"""An eigenvalue below this share of the largest counts as zero: what float32 resolves."""

PROBE_STEPS = 60
"""Of Lanczos, to find the ends of a spectrum."""


@dataclass(frozen=True)
class Solution:
    """x: (R, P). residual: the largest |b - A x| / |b|. iterations: passes over the data."""

    x: torch.Tensor
    residual: float
    iterations: int
    details: dict[str, float] = field(default_factory=dict)

    def diagnostics(self) -> dict[str, float]:
        """Figures for the report."""
        return {"residual": self.residual, "iterations": float(self.iterations), **self.details}


def residual_of(products: Products, b: torch.Tensor, x: torch.Tensor) -> float:
    """The largest |b - A x| / |b| over the right-hand sides; those that are 0 do not count."""
    rest = (b - products(x)).norm(dim=1) / b.norm(dim=1).clamp(min=1e-30)
    return float(rest.max())


@dataclass(frozen=True)
class ConjugateGradients:
    """Conjugate gradients; stops when every residual is below `tolerance` relative to |b|.

    iterations: at most so many; what was reached is in the solution's residual.
    """

    tolerance: float = 1e-5
    iterations: int = 500

    def __post_init__(self) -> None:
        if not 0 < self.tolerance < 1 or self.iterations < 1:
            raise MdeError(
                "tolerance must lie between 0 and 1, iterations be 1 or more, "
                f"not {self.tolerance:g} and {self.iterations}"
            )

    def solve(
        self, products: Products, b: torch.Tensor, progress: Progress | None = None
    ) -> Solution:
        """Raises SingularHessian where the curvature along a direction is not positive."""
        x, rest = torch.zeros_like(b), b.clone()
        direction, square = rest.clone(), rest.square().sum(1)
        size = b.norm(dim=1).clamp(min=1e-30)
        done, least, most = 0, math.inf, 0.0
        while done < self.iterations and bool((square.sqrt() / size > self.tolerance).any()):
            curved = products(direction)
            bend = (direction * curved).sum(1)
            length = direction.square().sum(1)
            active = square.sqrt() / size > self.tolerance
            slope = float((bend / length.clamp(min=1e-30))[active].min())
            least, most = min(least, slope), max(most, float((bend / length)[active].max()))
            if not slope > _SINGULAR * most * 1e-2:
                raise SingularHessian(
                    f"the curvature along a direction is {slope:.2g}, the largest met {most:.2g}: "
                    "state a damping above 0"
                )
            # A row that is done stands still while others go on.
            step = torch.where(active, square / bend, 0)[:, None]
            x += step * direction
            rest -= step * curved
            after = rest.square().sum(1)
            gain = torch.where(active, after / square.clamp(min=1e-38), 0)[:, None]
            direction = torch.where(active[:, None], rest + gain * direction, direction)
            square, done = after, done + 1
            if progress is not None:
                progress(done, self.iterations)
        residual = residual_of(products, b, x)
        return Solution(x, residual, done, {"converged": float(residual <= 10 * self.tolerance)})


@dataclass(frozen=True)
class Exact:
    """The whole matrix, factorised in float64: for few parameters, and as the reference.

    memory: most bytes that the matrix may take, 8 P^2; P up to 8,192 by default.
    """

    memory: int = 512 << 20

    def solve(
        self, products: Products, b: torch.Tensor, progress: Progress | None = None
    ) -> Solution:
        """Raises TooLarge, or SingularHessian unless the matrix is positive definite."""
        size = b.shape[1]
        if 8 * size**2 > self.memory:
            raise TooLarge(
                f"the exact inverse of {size} parameters takes {8 * size**2 >> 20} MiB, "
                f"{self.memory >> 20} MiB are allowed"
            )
        matrix = torch.empty((size, size), dtype=torch.float64, device=b.device)
        rows = max(1, min(size, (1 << 24) // size))
        for start in range(0, size, rows):
            end = min(start + rows, size)
            unit = torch.zeros((end - start, size), dtype=b.dtype, device=b.device)
            unit[torch.arange(end - start), torch.arange(start, end)] = 1
            matrix[start:end] = products(unit).double()
            if progress is not None:
                progress(end, size)
        matrix = (matrix + matrix.T) / 2
        factor, failed = torch.linalg.cholesky_ex(matrix)
        pivots = factor.diagonal().square()
        spread = 0.0 if int(failed) else float(pivots.min() / pivots.max())
        if spread < _SINGULAR:
            lowest = float(torch.linalg.eigvalsh(matrix)[0])
            raise SingularHessian(
                f"the Hessian's smallest eigenvalue is {lowest:.2g}, its largest diagonal "
                f"{float(matrix.diagonal().max()):.2g}: state a damping above {max(0, -lowest):.2g}"
            )
        x = torch.cholesky_solve(b.double().T, factor).T
        rest = (b.double() - x @ matrix).norm(dim=1) / b.double().norm(dim=1).clamp(min=1e-30)
        return Solution(x.to(b), float(rest.max()), math.ceil(size / rows), {"converged": 1.0})


@dataclass(frozen=True)
class Lissa:
    """LiSSA (Agarwal, Bullins and Hazan, 2017), as Koh and Liang use it.

    x_0 = b and x_j = b + (1 - A / scale) x_(j - 1); x_depth / scale estimates the solution.
    depth: steps of the recursion. scale: at least the largest eigenvalue, or it diverges; None
    takes 1.1 times an estimate of it. repeats: runs averaged, for products on mini-batches.
    """

    depth: int = 1000
    scale: float | None = None
    repeats: int = 1
    seed: int = 0

    def __post_init__(self) -> None:
        if self.depth < 1 or self.repeats < 1:
            raise MdeError(f"depth and repeats must be 1 or more: {self.depth}, {self.repeats}")
        if self.scale is not None and not 0 < self.scale < math.inf:
            raise MdeError(f"scale must be above 0 and finite, not {self.scale:g}")

    def solve(
        self,
        products: Products,
        b: torch.Tensor,
        progress: Progress | None = None,
        noisy: Products | None = None,
    ) -> Solution:
        """noisy: products on a mini-batch of its own choice, for the steps; else the full ones.

        Raises NotConverged when it diverges.
        """
        step = products if noisy is None else noisy
        scale = self.scale
        if scale is None:
            scale = 1.1 * float(lanczos(products, b, PROBE_STEPS, self.seed)[0].max())
        mean = torch.zeros_like(b)
        for repeat in range(self.repeats):
            x = b.clone()
            for j in range(self.depth):
                x = b + x - step(x) / scale
                if j % 50 == 0 and not bool(x.norm() < 1e12 * b.norm().clamp(min=1e-30)):
                    raise NotConverged(
                        f"LiSSA diverges at step {j}: scale {scale:.3g} is below the largest "
                        "eigenvalue, of the mini-batches at least"
                    )
                if progress is not None:
                    progress(repeat * self.depth + j + 1, self.repeats * self.depth)
            mean += x / (scale * self.repeats)
        residual = residual_of(products, b, mean)
        if not residual < 1e3:
            raise NotConverged(f"LiSSA's residual is {residual:.2g} at scale {scale:.3g}")
        details = {"scale": scale, "depth": float(self.depth), "converged": float(residual < 1e-2)}
        return Solution(mean, residual, self.depth * self.repeats, details)


@dataclass(frozen=True)
class Arnoldi:
    """Arnoldi iteration (Schioppa et al., "Scaling up influence functions", AAAI 2022).

    The curvature is symmetric, so it is Lanczos with full re-orthogonalisation: `steps` products
    with single vectors, of which the `rank` largest Ritz pairs are kept. The inverse acts on their
    span; outside it all curvatures count as the smallest that is kept, where the paper drops what
    lies outside: that keeps most of the ranking (benchmarks/mde_fidelity.md). Cheap to apply,
    whatever the number of right-hand sides; the residual tells what is lost.
    """

    steps: int = 120
    rank: int = 60
    seed: int = 0

    def __post_init__(self) -> None:
        if not 1 <= self.rank <= self.steps:
            raise MdeError(f"rank must lie in 1..steps: {self.rank}, {self.steps}")

    def solve(
        self, products: Products, b: torch.Tensor, progress: Progress | None = None
    ) -> Solution:
        """Raises SingularHessian when a Ritz value that it would divide by is not positive."""
        values, basis = lanczos(products, b, self.steps, self.seed, progress)
        keep = values.argsort(descending=True)[: self.rank]
        values, basis = values[keep], basis[keep]  # (k,), (k, P)
        if float(values.min()) <= _SINGULAR * float(values.max()):
            raise SingularHessian(
                f"a kept Ritz value is {float(values.min()):.2g}, the largest "
                f"{float(values.max()):.2g}: state a damping above 0 or a lower rank"
            )
        inside = b @ basis.T
        x = (inside / values) @ basis + (b - inside @ basis) / values.min()
        details = {"rank": float(len(values)), "converged": 1.0}
        return Solution(x, residual_of(products, b, x), self.steps, details)


def lanczos(
    products: Products,
    like: torch.Tensor,
    steps: int,
    seed: int,
    progress: Progress | None = None,
) -> tuple[torch.Tensor, torch.Tensor]:
    """Ritz values (k,) and vectors (k, P) of a symmetric curvature, k <= steps, ascending.

    like: (R, P), for the size, dtype and device. Starts from a random vector of `seed`.
    """
    size = like.shape[1]
    start = torch.from_numpy(generator(seed, "mde lanczos").standard_normal(size)).to(like)
    basis = [start / start.norm()]
    diagonal: list[float] = []
    beside: list[float] = []
    for step in range(min(steps, size)):
        new = products(basis[-1][None])[0]
        diagonal.append(float(new @ basis[-1]))
        held = torch.stack(basis)
        for _ in range(2):  # twice is enough for orthogonality to working precision
            new = new - held.T @ (held @ new)
        length = float(new.norm())
        if progress is not None:
            progress(step + 1, min(steps, size))
        if length <= 1e-6 * max(map(abs, diagonal)) or step + 1 == min(steps, size):
            break
        beside.append(length)
        basis.append(new / length)
    small = torch.diag(torch.tensor(diagonal, dtype=torch.float64))
    off = torch.tensor(beside[: len(diagonal) - 1], dtype=torch.float64)
    small += torch.diag(off, 1) + torch.diag(off, -1)
    values, vectors = torch.linalg.eigh(small)
    return values.to(like), vectors.T.to(like) @ torch.stack(basis[: len(diagonal)])


def refuse_singular(products: Products, like: torch.Tensor, seed: int = 0) -> None:
    """Raise SingularHessian if a probe finds an eigenvalue that is not above zero.

    The probe is at most 60 Lanczos steps from a random vector: cheap, and sure to see the large
    null spaces that undamped models have, not a single small eigenvalue among thousands.
    """
    values = lanczos(products, like, PROBE_STEPS, seed)[0]
    if float(values.min()) <= _SINGULAR * float(values.max()):
        raise SingularHessian(
            f"the Hessian has an eigenvalue of about {float(values.min()):.2g} beside "
            f"{float(values.max()):.2g}: state a damping above 0"
        )
