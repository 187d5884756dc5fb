//! Numbers of cached leaves, which are used again only when no hint names them any more.

use std::ops::Range;

use crate::cache::epoch;

/// Which numbers are free, and which will be.
pub(super) struct Ids {
    /// Numbers that were used at some time are below this.
    next: u32,
    /// All are below this.
    end: u32,
    free: Vec<u32>,
    /// Given up since the present sweep began.
    late: Vec<u32>,
    /// Given up before it began.
    early: Vec<u32>,
    /// Swept, and the epoch of that: readers may still hold a hint with them.
    swept: Option<(u64, Vec<u32>)>,
    /// A bit for each that is given up and not free.
    given_up: Vec<u64>,
    /// Where the sweep goes on.
    line: usize,
}

impl Ids {
    /// From 1 up to below `end`.
    pub(super) fn new(end: usize) -> Self {
        Ids {
            next: 1,
            end: u32::try_from(end).unwrap_or(u32::MAX),
            free: Vec::new(),
            late: Vec::new(),
            early: Vec::new(),
            swept: None,
            given_up: Vec::new(),
            line: 0,
        }
    }

    /// A number that no hint has.
    pub(super) fn take(&mut self) -> Option<u32> {
        if let Some(id) = self.free.pop() {
            return Some(id);
        }
        let id = self.next;
        (id < self.end).then(|| {
            self.next += 1;
            if self.given_up.len() <= id as usize / 64 {
                self.given_up.push(0);
            }
            id
        })
    }

    /// A number that no leaf has any more, and no hint ever had; 0 is none.
    pub(super) fn give_back(&mut self, id: u32) {
        self.free.extend((id != 0).then_some(id));
    }

    /// A number that no leaf has any more.
    pub(super) fn give_up(&mut self, id: u32) {
        self.late.push(id);
        if let Some(word) = self.given_up.get_mut(id as usize / 64) {
            *word |= 1 << (id % 64);
        }
    }

    /// Whether a number is given up and not free.
    #[inline]
    pub(super) fn is_given_up(&self, id: u32) -> bool {
        self.given_up.get(id as usize / 64).is_some_and(|word| word >> (id % 64) & 1 == 1)
    }

    /// The lines that are swept next.
    pub(super) fn sweep(&self, count: usize, lines: usize) -> Range<usize> {
        self.line..(self.line + count).min(lines)
    }

    /// Lines up to here are swept. At the end of a sweep no hint has what was given up before it began.
    pub(super) fn swept_to(&mut self, line: usize, lines: usize) {
        self.line = line;
        if line < lines {
            return;
        }
        self.line = 0;
        if let Some((_, ids)) = self.swept.take_if(|(epoch, _)| epoch::is_free(*epoch, epoch::advance())) {
            for id in &ids {
                if let Some(word) = self.given_up.get_mut(*id as usize / 64) {
                    *word &= !(1 << (id % 64));
                }
            }
            self.free.extend(ids);
        }
        let early = std::mem::replace(&mut self.early, std::mem::take(&mut self.late));
        match &mut self.swept {
            Some((epoch, ids)) => {
                ids.extend(early);
                *epoch = epoch::of_unlinked();
            }
            None => self.swept = Some((epoch::of_unlinked(), early)),
        }
    }
}
