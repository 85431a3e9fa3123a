"""`data`: public data sets and one's own, in the one form that models are trained on."""

from __future__ import annotations

import gzip
import os
import zlib
from pathlib import Path
from typing import Annotated

import typer

from voxlake.cli.options import Json, Stage, err, out, print_json
from voxlake.datasets import CATALOG, Task
from voxlake.datasets import get as get_dataset
from voxlake.errors import VoxlakeError

data = typer.Typer(
    name="data",
    add_completion=False,
    no_args_is_help=True,
    rich_markup_mode="rich",
    help="Public data sets and your own, in the one form that `voxlake train` reads.\n\n"
    "Example: voxlake data get tweeteval_sentiment",
)


class OwnFileError(VoxlakeError):
    """A file to convert cannot be read, or an option does not fit it."""


def data_folder() -> Path:
    """Where data sets are: $VOXLAKE_DATA, or data/ here."""
    return Path(os.environ.get("VOXLAKE_DATA", "data")).absolute()


@data.command("get")
def get(
    name: Annotated[str, typer.Argument(help="A name from `voxlake data list`.", metavar="NAME")],
    folder: Annotated[
        Path | None,
        typer.Option(
            "--out", help="Folder for the files; NAME under $VOXLAKE_DATA (data/) if unsaid."
        ),
    ] = None,
    originals: Annotated[
        Path | None,
        typer.Option(
            help="Folder that already holds the source's files: nothing is fetched.",
            metavar="DIR",
        ),
    ] = None,
    again: Annotated[
        bool, typer.Option("--again", help="Fetch and convert anew what is already there.")
    ] = False,
    json_: Json = False,
) -> None:
    """Fetches a public data set, checks it, converts it, and prints its terms.

    Leaves train.jsonl.gz, dev.jsonl.gz and test.jsonl.gz, no text in two of them. What is already
    there is verified and left alone.

    Example: voxlake data get wnut17 && voxlake train --data wnut17
    """
    from voxlake.cli.dataset_store import Store
    from voxlake.cli.download import Progress

    dataset = get_dataset(name)
    store = Store(data_folder(), (folder or data_folder() / name).absolute())
    if not json_:
        _print_terms(dataset)
    with Progress(err, shown=not json_) as progress:
        found = store.fetch(dataset, originals=originals, again=again, progress=progress)
    if json_:
        print_json({"name": name, "folder": str(store.folder), "terms": dataset.terms, **found})
        return
    _print_found(name, store.folder, found)


def _print_terms(dataset) -> None:
    from rich.table import Table

    lines = Table.grid(padding=(0, 1))
    lines.add_column(min_width=8)
    lines.add_column(overflow="fold")
    for label, text in (
        ("set", f"{dataset.name}: {dataset.what}"),
        ("from", dataset.home),
        ("paper", dataset.paper),
        ("licence", dataset.licence),
        ("terms", dataset.terms),
        ("note", dataset.notes),
    ):
        if text:
            lines.add_row(label, text)
    out.print(lines)


def _print_found(name: str, folder: Path, found: dict) -> None:
    for file in found["originals"]:
        out.print(f"checked  {file['name']}: sha256 {file['sha256'][:12]}…, {file['held_by']}")
    for split in found["splits"]:
        taken = f", {split['taken_out']:,} taken out" if split["taken_out"] else ""
        out.print(f"{split['name']:8} {split['rows']:,} rows{taken}")
    if any(split["taken_out"] for split in found["splits"]):
        out.print("         (taken out: texts that are also in dev or test)")
    state = "already there and unchanged" if found["already_there"] else "written"
    out.print(f"{state}: {folder}", soft_wrap=True)


@data.command("put")
def put(
    name: Annotated[
        str, typer.Argument(help="A data set under $VOXLAKE_DATA, or a folder.", metavar="NAME|DIR")
    ],
    stage: Stage = "local",
    json_: Json = False,
) -> None:
    """Copies a data set to where the DAG train_models finds it, by its name: train and dev.

    Example: voxlake data put tweeteval_sentiment
    """
    from voxlake.cli.target import Target
    from voxlake.cli.training_data import find_data
    from voxlake.training.job import SETS

    target, found = Target(stage), find_data(name)
    s3, bucket = target.client("s3"), target.output("ArtifactsBucket")
    parts = {"train": found.train} | ({"dev": found.dev} if found.dev else {})
    for part, file in parts.items():
        ending = ".jsonl.gz" if file.name.endswith(".gz") else ".jsonl"
        s3.upload_file(str(file), bucket, f"{SETS}{found.name}/{part}{ending}")
    where = f"s3://{bucket}/{SETS}{found.name}/"
    if json_:
        print_json({"name": found.name, "folder": where, "parts": list(parts)})
    else:
        out.print(f"{' and '.join(parts)} in {where}", soft_wrap=True)


@data.command("list")
def list_(json_: Json = False) -> None:
    """Lists the public data sets that can be fetched, and which of them are here.

    Example: voxlake data list
    """
    from rich.table import Table

    rows = [
        {
            "name": dataset.name,
            "tasks": [task.value for task in dataset.tasks],
            "what": dataset.what,
            "licence": dataset.licence,
            "here": (data_folder() / dataset.name / "train.jsonl.gz").is_file(),
            "home": dataset.home,
            "paper": dataset.paper,
            "terms": dataset.terms,
            "notes": dataset.notes,
            "originals": [
                {"name": o.name, "addresses": o.addresses, "sha256": o.sha256}
                for o in dataset.originals
            ],
        }
        for dataset in CATALOG.values()
    ]
    if json_:
        print_json(rows)
        return
    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in ("name", "labels", "what", "licence", "here"):
        table.add_column(column, no_wrap=column == "name")
    for row in rows:
        labels = "\n".join("-" if task == "text" else task for task in row["tasks"])
        here = "yes" if row["here"] else ""
        table.add_row(row["name"], labels, row["what"], row["licence"], here)
    out.print(table)


@data.command("convert")
def convert(
    file: Annotated[
        Path, typer.Argument(help="Your texts: .csv, .tsv, .jsonl or .conll, also .gz.")
    ],
    task: Annotated[Task, typer.Option(help="What the texts are labelled with.")] = Task.sentiment,
    text_column: Annotated[str, typer.Option(help="Column (or key) of the text.")] = "text",
    label_column: Annotated[
        str | None,
        typer.Option(help="Column of the label or labels; the form's own key if unsaid."),
    ] = None,
    id_column: Annotated[
        str | None, typer.Option(help="Column of the id; numbered if unsaid.")
    ] = None,
    map_: Annotated[
        list[str] | None,
        typer.Option("--map", help="A label of yours as one of the form.", metavar="YOURS=LABEL"),
    ] = None,
    separator: Annotated[str, typer.Option(help="Parts several labels in one cell.")] = ",",
    keep: Annotated[
        list[str] | None, typer.Option(help="A column to take over as it is, such as created_at.")
    ] = None,
    skip: Annotated[
        bool, typer.Option("--skip", help="Leave unusable rows out, saying how many.")
    ] = False,
    dev_share: Annotated[
        float, typer.Option(min=0.0, max=0.5, help="Share of the texts for dev; 0 for none.")
    ] = 0.1,
    encoding: Annotated[str, typer.Option(help="Of the file, such as cp1252.")] = "utf-8",
    folder: Annotated[
        Path | None,
        typer.Option(
            "--out", help="Folder for the files; FILE's name under $VOXLAKE_DATA (data/) if unsaid."
        ),
    ] = None,
    json_: Json = False,
) -> None:
    """Converts your own labelled texts to the form, parted into train and dev.

    Equal texts stay on one side. docs/data.md shows the form for every task.

    Example: voxlake data convert reviews.csv --label-column stars --map 1=negative --map 5=positive
    """
    from voxlake.cli.dataset_store import write_splits
    from voxlake.datasets.own import Mapping, split_own
    from voxlake.datasets.own import convert as converted

    mapping = Mapping(
        task=task,
        text_column=text_column,
        label_column=label_column,
        id_column=id_column,
        labels=_pairs(map_ or []),
        separator=separator,
        keep=tuple(keep or ()),
        skip=skip,
    )
    done = converted(file.name, read_own(file, encoding), mapping)
    splits = split_own(done.rows, task, dev_share) if dev_share else {"train": done.rows}
    name = file.name.partition(".")[0]
    target = (folder or data_folder() / name).absolute()
    write_splits(target, splits)
    rows = {split: len(found) for split, found in splits.items()}
    if json_:
        print_json({"folder": str(target), "rows": rows, "left_out": done.left_out})
        return
    for split, count in rows.items():
        out.print(f"{split:8} {count:,} rows")
    if done.left_out:
        out.print(f"left out {done.left_out:,}")
    out.print(f"written: {target}", soft_wrap=True)


def _pairs(maps: list[str]) -> dict[str, str]:
    for pair in maps:
        if "=" not in pair:
            raise OwnFileError(f"--map: expected YOURS=LABEL, found {pair!r}")
    return dict(tuple(part.strip() for part in pair.rsplit("=", 1)) for pair in maps)


def read_own(file: Path, encoding: str) -> str:
    """The text of a file, unpacked where its name ends in .gz. Raises OwnFileError."""
    try:
        content = file.read_bytes()
        if file.name.endswith(".gz"):
            content = gzip.decompress(content)
        text = content.decode(encoding)
    except FileNotFoundError:
        raise OwnFileError(f"{file}: expected a file, found none") from None
    except (OSError, EOFError, zlib.error) as error:
        raise OwnFileError(f"{file}: expected a readable file, found: {error}") from None
    except UnicodeDecodeError as error:
        raise OwnFileError(
            f"{file}: expected {encoding}, found another byte at position {error.start}; name the "
            "file's encoding by --encoding (cp1252 is common)"
        ) from None
    except LookupError:
        raise OwnFileError(f"--encoding: expected a known one, found {encoding!r}") from None
    return text.removeprefix("\ufeff")
