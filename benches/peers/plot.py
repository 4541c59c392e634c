"""The plot of growth.py: medians over years of history, and over events a day, on logarithmic scales, where in proportion is a slope."""

import pathlib
from typing import Any

import matplotlib

matplotlib.use("svg")

from matplotlib import pyplot, ticker  # noqa: E402

COLOURS = ["#4269d0", "#ff725c", "#3ca951", "#9467bd", "#6c757d"]
MARKS = ["o", "s", "^", "D", "v"]


def duration(seconds: float, _place: int | None = None) -> str:
    """A label of the vertical axis."""
    return f"{seconds * 1000:g} ms" if seconds < 1 else f"{seconds:g} s"


def drawn(path: pathlib.Path, panels: list[tuple[str, list[tuple[int, dict[str, Any]]]]]) -> None:
    """Writes the plot, the same for the same figures: texts as texts, no date, and names that do not change."""
    pyplot.rcParams.update({"svg.fonttype": "none", "svg.hashsalt": "headroom", "font.family": "sans-serif", "font.size": 10})
    figure, axes = pyplot.subplots(1, len(panels), figsize=(10, 4.6), sharey=True, layout="constrained")
    for axis, (title, sizes) in zip(axes, panels, strict=True):
        across = [size for size, _ in sizes]
        for place, column in enumerate(sizes[0][1]["medians"]):
            medians = [result["medians"][column] for _, result in sizes]
            axis.plot(across, medians, marker=MARKS[place], color=COLOURS[place], label=column, linewidth=1.8, markersize=5)
        axis.set(xscale="log", yscale="log", xlabel=title, xticks=across)
        axis.xaxis.set_major_formatter(ticker.FormatStrFormatter("%d"))
        axis.xaxis.set_minor_locator(ticker.NullLocator())
        axis.yaxis.set_major_locator(ticker.LogLocator(subs=(1, 2, 5)))
        axis.yaxis.set_minor_formatter(ticker.NullFormatter())
        axis.yaxis.set_major_formatter(ticker.FuncFormatter(duration))
        axis.grid(which="major", color="#dddddd", linewidth=0.8)
        axis.spines[["top", "right"]].set_visible(False)
    handles, labels = axes[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=len(labels), frameon=False)
    figure.patch.set_facecolor("white")
    figure.savefig(path, format="svg", metadata={"Date": None, "Creator": None})
    pyplot.close(figure)
