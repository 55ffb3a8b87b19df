"""A small network, taught on drawn pictures only, that names rendering, scene, time and thing."""

import itertools
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from starter_world.pictures import draw_picture
from starter_world.vocabulary import COLOURS, RENDERINGS, SCENES, THINGS, TIMES
from torch import Tensor, nn
from torch.nn import functional

QUESTIONS: dict[str, tuple[str, ...]] = {
    "rendering": RENDERINGS,
    "scene": SCENES,
    "time": TIMES,
    "thing": ("none", *THINGS),
    "thing colour": ("none", *COLOURS),
}
Answers = dict[str, str]


def _seen(pixels: NDArray[np.uint8]) -> Tensor:
    planes = torch.from_numpy(np.ascontiguousarray(pixels)).permute(0, 3, 1, 2).float()
    return functional.avg_pool2d(planes / 127.5 - 1, 2)


class LandscapeJudge(nn.Module):
    """Answers every question about a landscape; other pictures only by their rendering."""

    def __init__(self) -> None:
        super().__init__()
        widths = (3, 24, 48, 64, 64)
        layers: list[nn.Module] = []
        for before, after in itertools.pairwise(widths):
            layers += [nn.Conv2d(before, after, 3, 2, 1), nn.BatchNorm2d(after), nn.ReLU()]
        self.trunk = nn.Sequential(*layers, nn.Flatten())
        self.heads = nn.ModuleDict({name: nn.Linear(64 * 16, len(names)) for name, names in QUESTIONS.items()})

    def forward(self, seen: Tensor) -> dict[str, Tensor]:
        """Scores for each question."""
        features = self.trunk(seen)
        return {name: head(features) for name, head in self.heads.items()}

    @torch.no_grad()
    def answers(self, pixels: NDArray[np.uint8]) -> list[Answers]:
        """The likeliest answers for n x 128 x 128 x 3 pictures."""
        self.eval()
        chosen = {name: s.argmax(1).tolist() for name, s in self(_seen(pixels)).items()}
        return [{name: QUESTIONS[name][indices[i]] for name, indices in chosen.items()} for i in range(len(pixels))]


def drawn_landscapes(count: int, seed: int) -> tuple[NDArray[np.uint8], list[Answers]]:
    """Landscapes, a third in each rendering, with the right answers."""
    chance = np.random.default_rng(seed)
    pixels, answers = [], []
    for index in range(count):
        picture = draw_picture(chance, kind="landscape", rendering=RENDERINGS[index % 3])
        known = {name: picture.labels.get(name, "none") for name in QUESTIONS}
        coloured = known["thing"] in ("house", "sailboat", "lighthouse", "balloon")
        known["thing colour"] = picture.labels["colour"] if coloured else "none"
        pixels.append(picture.pixels)
        answers.append(known)
    return np.stack(pixels), answers


def _disturbed(seen: Tensor) -> Tensor:
    """Noise, blur and small shifts, so that judging does not hang on single pixels."""
    if torch.rand(()) < 0.5:
        blurred = functional.avg_pool2d(functional.pad(seen, (1, 1, 1, 1), "replicate"), 3, 1)
        seen = seen + torch.rand(len(seen), 1, 1, 1) * (blurred - seen)
    shift = tuple(int(i) for i in torch.randint(-2, 3, (2,)))
    seen = torch.roll(seen, shift, (2, 3))
    return seen + 0.08 * torch.rand(len(seen), 1, 1, 1) * torch.randn_like(seen)


def teach_judge(count: int = 6000, epochs: int = 10, seed: int = 1) -> LandscapeJudge:
    """Teach a judge on freshly drawn landscapes."""
    torch.manual_seed(seed)
    pixels, answers = drawn_landscapes(count, 7000 + seed)
    seen = _seen(pixels)
    wanted = {name: torch.tensor([names.index(known[name]) for known in answers]) for name, names in QUESTIONS.items()}
    judge, batch = LandscapeJudge(), 64
    steps = epochs * (count // batch)
    optimizer = torch.optim.AdamW(judge.parameters(), lr=3e-3, weight_decay=0.02)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 4e-3, total_steps=steps)
    for _ in range(epochs):
        for chosen in torch.randperm(count)[: count // batch * batch].split(batch):
            scores = judge(_disturbed(seen[chosen]))
            loss = sum(functional.cross_entropy(scores[name], wanted[name][chosen]) for name in QUESTIONS)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
    return judge.eval()


def kept_judge(path: Path) -> LandscapeJudge:
    """The judge kept in a file, taught first where the file is missing."""
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        torch.save(teach_judge().state_dict(), path)
    judge = LandscapeJudge()
    judge.load_state_dict(torch.load(path))
    return judge.eval()


def shares_right(judge: LandscapeJudge, count: int = 300, seed: int = 9100) -> dict[str, float]:
    """For each question, the share the judge answers rightly on drawn pictures it never saw."""
    pixels, answers = drawn_landscapes(count, seed)
    given = judge.answers(pixels)
    return {
        name: float(np.mean([g[name] == a[name] for g, a in zip(given, answers, strict=True)])) for name in QUESTIONS
    }
