"""One file per benchmark, each with `measure(seconds) -> Iterator[Line]`."""
