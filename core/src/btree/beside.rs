//! The leaf that a cursor comes to next: page and lines of it are asked for while the one at hand is walked.

use std::mem;

use crate::btree::cursor::Direction;
use crate::btree::format::{PageKind, PagePointer};
use crate::btree::page::{PIECE, Page};
use crate::btree::table::Table;
use crate::btree::way::{AHEAD, Way};
use crate::sync::Arc;

/// The inner pages above a cursor, each with the index of the child taken.
type Turns = [(Arc<Page>, usize)];

/// The leaf next to the one that is walked.
pub(super) enum Beside {
    /// There is none under the same parent, or it is not in the cache.
    Nothing,
    /// It is asked for, if it is named. So a seek for a few records does no more than that.
    Asked(Direction),
    /// It is in the cache.
    Leaf {
        pointer: PagePointer,
        page: Arc<Page>,
        /// Lines that were asked for, [`PIECE`] at each record of the leaf at hand ...
        asked: usize,
        /// ... of so many. A processor sees by itself that few long records are read one behind the other.
        lines: usize,
    },
}

impl Beside {
    /// The cursor has come to a leaf.
    pub(super) fn ask(table: &Table, turns: &Turns, direction: Direction) -> Self {
        let Some(place) = beside(turns, direction).and_then(|way| table.place(way)) else {
            return Beside::Nothing;
        };
        place.slots.prefetch_value(place.index, AHEAD);
        Beside::Asked(direction)
    }

    /// The cursor leaves a record.
    #[inline]
    pub(super) fn step(&mut self, table: &Table, turns: &Turns) {
        match self {
            Beside::Nothing => {}
            Beside::Asked(direction) => *self = Self::look(table, turns, *direction),
            Beside::Leaf { page, asked, lines, .. } => {
                if asked < lines {
                    page.prefetch_piece(*asked);
                    *asked += PIECE;
                }
            }
        }
    }

    #[inline(never)]
    fn look(table: &Table, turns: &Turns, direction: Direction) -> Self {
        let Some(way) = beside(turns, direction) else { return Beside::Nothing };
        // An error is met again by who enters the leaf.
        match table.cached_on(way, PageKind::Leaf) {
            Ok(Some(page)) => {
                let lines = page.lines();
                Beside::Leaf { pointer: table.pointer(way), page, asked: AHEAD.lines, lines }
            }
            _ => Beside::Nothing,
        }
    }

    /// The leaf, if it is the one that is wanted. Then nothing is beside.
    pub(super) fn take(&mut self, wanted: impl FnOnce() -> PagePointer, kind: PageKind) -> Option<Arc<Page>> {
        match mem::replace(self, Beside::Nothing) {
            Beside::Leaf { pointer, page, .. } if kind == PageKind::Leaf && pointer == wanted() => Some(page),
            _ => None,
        }
    }
}

/// The child next to the last turn's.
fn beside(turns: &Turns, direction: Direction) -> Option<Way<'_>> {
    let (parent, index) = turns.last()?;
    let index = match direction {
        Direction::Forward => Some(index + 1).filter(|index| *index < parent.count()),
        Direction::Backward => index.checked_sub(1),
    };
    Some(Way::Child(parent, index?))
}
