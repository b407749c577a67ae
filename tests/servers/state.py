"""A state file, read with Python's own sqlite3 and a decoder of its own: what a probe that is gone has left."""

import sqlite3
from pathlib import Path

EVENTS = ("good", "bad", "blind", "probe_fault", "missed", "excluded_unjudged", "excluded_good", "excluded_bad")
IN_HEAD = 6  # of these, the bits are in the head byte; those of the others in a byte of their own
SLOTS = 60


class State:
    """What the file at `path` holds. The probe must not run: it holds the file for itself."""

    def __init__(self, path):
        assert Path(path).exists(), f"{path} is not there"
        self.database = sqlite3.connect(path)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.database.close()

    def rows(self, query, *arguments):
        return self.database.execute(query, arguments).fetchall()

    def integrity(self):
        """What SQLite has to say of the file: "ok", or what is wrong with it."""
        return "; ".join(line for (line,) in self.rows("PRAGMA integrity_check"))

    def counts(self, definition, slot_ns=60_000_000_000):
        """{event: how many} of one SLI, over all that is kept in slots of that length."""
        total = dict.fromkeys(EVENTS, 0)
        blocks = self.rows("SELECT counts.counts FROM counts JOIN slis ON id = sli WHERE definition = ? AND slot_ns = ?",
                           definition, slot_ns)
        for (block,) in blocks:
            for slot in slots(block):
                for event, n in slot.items():
                    total[event] += n
        return total

    def schedules(self):
        """{transaction: (its stream, its next slot in ns)}"""
        rows = self.rows("SELECT definition, stream, next_slot_ns FROM schedules")
        return {definition.partition(" every ")[0]: (stream, slot) for definition, stream, slot in rows}

    def undecided(self, stream, stage=None):
        """How many runs in flight await their verdict, or that of the stage of that name."""
        records = [Run(record) for (record,) in self.rows("SELECT record FROM runs WHERE stream = ?", stream)]
        return sum(1 for run in records if (not run.decided if stage is None else stage in run.open_stages))

    def definitions(self):
        return [definition for (definition,) in self.rows("SELECT definition FROM slis ORDER BY id")]


def slots(block):
    """The sixty slots of a block: a run of equal slots is a head byte, its length where bit 7 says so, and a varint for
    each count whose bit is set. Where bit 6 is set, a byte with the bits of the rare counts stands before those."""
    at, found = 0, []

    def varint():
        nonlocal at
        value = shift = 0
        while True:
            byte = block[at]
            at += 1
            value |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                return value

    while at < len(block):
        head = block[at]
        at += 1
        length = 1
        if head & 0x80:
            length = block[at]
            at += 1
        bits = head & (1 << IN_HEAD) - 1
        if head & 0x40:
            bits |= block[at] << IN_HEAD
            at += 1
        found += [{event: varint() for bit, event in enumerate(EVENTS) if bits & 1 << bit}] * length
    assert len(found) == SLOTS, f"a block of {len(found)} slots"
    return found


class Run:
    """The head of a stored run: what of it is still to be decided."""

    def __init__(self, record):
        self.record, self.at = record, 0
        assert self.number() == 2, "the format of the record"
        self.number()  # the shape of its transaction
        self.number()  # due
        self.decided = self.number() == 1
        self.open_stages = [self.text() for _ in range(self.number())]

    def number(self):
        value = shift = 0
        while True:
            byte = self.record[self.at]
            self.at += 1
            value |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                return value

    def text(self):
        size = self.number()
        self.at += size
        return self.record[self.at - size:self.at].decode()
