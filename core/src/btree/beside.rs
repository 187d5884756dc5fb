//! The leaf that a cursor comes to next: what entering it takes is asked for while the one at hand is walked.
//!
//! Four misses stand in front of a leaf's records: its place in the cache, the page, its content, and the lines of that. Each
//! is asked for while one leaf is walked and used in the next one, so that a cursor waits for none of them.

use std::mem;

use crate::btree::cursor::Direction;
use crate::btree::format::{PageKind, PagePointer};
use crate::btree::page::Page;
use crate::btree::point::ahead_in;
use crate::btree::table::Table;
use crate::sync::Arc;

/// Leaves in front of the cursor whose places are known to be in the processor's cache.
const PLACES: usize = 3;

/// The inner pages above a cursor, each with the index of the child taken.
type Turns = [(Arc<Page>, usize)];

/// The leaf next to the one that is walked.
pub(super) enum Beside {
    /// There is none under the same parent, or it is not in the cache.
    Nothing,
    /// Nobody has looked yet.
    Due(Direction),
    /// It is in the cache.
    Leaf {
        pointer: PagePointer,
        page: Arc<Page>,
        /// Lines that were asked for.
        asked: usize,
        /// Lines to ask for at each record of the leaf at hand.
        lines: usize,
    },
}

impl Beside {
    /// A seek is about to enter a leaf.
    pub(super) fn announce(table: &Table, turns: &Turns, direction: Direction) {
        let visit = table.visit();
        for distance in 1..=PLACES {
            let Some(pointer) = child(turns, direction, distance) else { return };
            visit.announce(table.number(), pointer.offset);
        }
    }

    /// A seek has entered the leaf behind [`Beside::announce`].
    pub(super) fn after_seek(table: &Table, turns: &Turns, direction: Direction) -> Self {
        if let Some(pointer) = child(turns, direction, 1) {
            table.visit().ask(table.number(), pointer.offset, ahead_in(PageKind::Leaf));
        }
        Beside::Due(direction)
    }

    /// The cursor leaves a record; `left` ones of this leaf lie ahead.
    #[inline]
    pub(super) fn step(&mut self, table: &Table, turns: &Turns, left: usize) {
        match self {
            Beside::Nothing => {}
            Beside::Due(direction) => *self = Self::look(table, turns, *direction, left),
            Beside::Leaf { page, asked, lines, .. } => {
                page.prefetch_lines(*asked, *lines);
                *asked += *lines;
            }
        }
    }

    #[inline(never)]
    fn look(table: &Table, turns: &Turns, direction: Direction, left: usize) -> Self {
        let visit = table.visit();
        if let Some(pointer) = child(turns, direction, PLACES) {
            visit.announce(table.number(), pointer.offset);
        }
        if let Some(pointer) = child(turns, direction, PLACES - 1) {
            visit.ask(table.number(), pointer.offset, ahead_in(PageKind::Leaf));
        }
        let Some(pointer) = child(turns, direction, 1) else { return Beside::Nothing };
        // An error is met again by who enters the leaf.
        match table.cached(pointer, PageKind::Leaf) {
            Ok(Some(page)) => Beside::Leaf { pointer, lines: page.lines() / left.max(1) + 1, page, asked: 0 },
            _ => Beside::Nothing,
        }
    }

    /// The leaf, if it is the one at `pointer`. Then nothing is beside.
    pub(super) fn take(&mut self, pointer: PagePointer, kind: PageKind) -> Option<Arc<Page>> {
        match mem::replace(self, Beside::Nothing) {
            Beside::Leaf { pointer: own, page, .. } if own == pointer && kind == PageKind::Leaf => Some(page),
            _ => None,
        }
    }
}

/// The child of the last turn's page so many places further.
fn child(turns: &Turns, direction: Direction, distance: usize) -> Option<PagePointer> {
    let (parent, index) = turns.last()?;
    let index = match direction {
        Direction::Forward => Some(index + distance).filter(|index| *index < parent.count()),
        Direction::Backward => index.checked_sub(distance),
    };
    Some(parent.inner_cell(index?).child)
}
