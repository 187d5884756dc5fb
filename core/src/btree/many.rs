//! Lookups of several keys, each in a table of its own: side by side, so that their cache misses overlap.

use crate::base::error::Result;
use crate::base::lookup::Wanted;
use crate::btree::page::Page;
use crate::btree::search::Spot;
use crate::btree::table::{FoundRecord, Table};
use crate::btree::way::{AHEAD, Way};
use crate::cache::{Ahead, Found, Lent, Pin};
use crate::sync::Arc;

/// Nothing: it is on its way already.
const NOTHING: Ahead = Ahead { skip: 0, lines: 0 };

/// Keys that are looked for together, without a lock. Each step is done for all of them before the next one, and asks the
/// processor for what the next one reads.
pub struct Group<'p> {
    pin: &'p Pin,
    keys: &'p [Wanted<'p>],
    /// The bits of the keys that are still looked for.
    open: u32,
    /// The bits of those that met a page which is not named.
    unnamed: u32,
    members: Vec<Member<'p>>,
}

/// A key on its way through a table.
struct Member<'p> {
    index: u32,
    /// Pages in front of the leaf.
    steps: u32,
    table: &'p Table,
    wanted: &'p Wanted<'p>,
    /// `None`: it is at its end.
    at: Option<At<'p>>,
}

enum At<'p> {
    Way(Way<'p>),
    Leaf(Lent<'p, Page>, Spot),
}

impl<'p> Group<'p> {
    /// Most keys of a group.
    pub const MOST: usize = 32;

    /// Of at most [`Group::MOST`] keys.
    pub fn new(keys: &'p [Wanted<'p>], pin: &'p Pin) -> Self {
        debug_assert!(keys.len() <= Self::MOST);
        let open = u32::MAX.checked_shr((Self::MOST - keys.len()) as u32).unwrap_or(0);
        Group { pin, keys, open, unnamed: 0, members: Vec::with_capacity(keys.len()) }
    }

    /// The keys that are still looked for.
    pub fn open(&self) -> impl Iterator<Item = (u32, &'p Wanted<'p>)> + use<'p> {
        let (keys, mut open) = (self.keys, self.open);
        std::iter::from_fn(move || {
            let index = open.trailing_zeros();
            let wanted = keys.get(index as usize)?;
            open &= open - 1;
            Some((index, wanted))
        })
    }

    /// The bits of the keys that it takes a lock, or the disk, to look for.
    pub fn unnamed(&self) -> u32 {
        self.unnamed
    }

    fn give_up(&mut self, index: u32) {
        self.unnamed |= 1 << index;
        self.open &= !(1 << index);
    }

    /// Wants an open key to be looked for in a table; gives it up if the table is not open.
    #[inline]
    pub fn add(&mut self, index: u32, wanted: &'p Wanted<'p>, table: Option<&'p Arc<Table>>) {
        let Some(table) = table else { return self.give_up(index) };
        table.ask_filter(wanted.hash);
        let steps = table.properties.height.saturating_sub(1) as u32;
        self.members.push(Member { index, steps, table, wanted, at: Some(At::Way(Way::Root)) });
    }

    /// Looks for all that were added. `found` is told the index of a key and its record, in any order.
    pub fn look(&mut self, found: &mut dyn FnMut(usize, FoundRecord<'_>) -> Result<()>) -> Result<()> {
        let mut members = std::mem::take(&mut self.members);
        self.take(&mut members, |member, pin| match member.table.may_hold_lent(member.wanted.hash, pin)? {
            true => Some(member.at.take()),
            false => Some(None),
        });
        let most = members.iter().map(|member| member.steps).max().unwrap_or(0);
        for step in 0..most {
            // The roots are at hand.
            if step > 0 {
                ask(&members);
            }
            self.take(&mut members, |member, pin| match member.at.take() {
                Some(At::Way(way)) if step < member.steps => {
                    let way = member.table.step_lent(way, NOTHING, member.wanted, pin)?;
                    Some(Some(At::Way(way)))
                }
                at => Some(at),
            });
        }
        ask(&members);
        self.take(&mut members, |member, pin| {
            let Some(At::Way(way)) = member.at.take() else { return Some(None) };
            let page = member.table.lent(way, NOTHING, pin)?;
            let spot = page.get().spot(&member.table.order, member.wanted.key);
            if let Spot::Alone(index) = spot {
                page.get().prefetch_cell(index);
            }
            Some(Some(At::Leaf(page, spot)))
        });
        if let Some(member) = members.first() {
            // Root, inner pages, leaf and filter; all tables have one cache.
            let hits =
                |member: &Member<'_>| if member.at.is_some() { u64::from(member.steps) + 2 } else { 1 };
            member.table.cache.note_hits(self.pin, members.iter().map(hits).sum());
        }
        for member in members.drain(..) {
            let Some(At::Leaf(page, spot)) = member.at else { continue };
            if let Some(record) = member.table.record_on(Found::Lent(page), spot, member.wanted) {
                self.open &= !(1 << member.index);
                found(member.index as usize, record)?;
            }
        }
        self.members = members;
        Ok(())
    }

    /// Has each member that is on its way do a step. `None`: it has met a page that is not named.
    #[inline]
    fn take(
        &mut self,
        members: &mut [Member<'p>],
        mut step: impl FnMut(&mut Member<'p>, &'p Pin) -> Option<Option<At<'p>>>,
    ) {
        for member in members.iter_mut().filter(|member| member.at.is_some()) {
            match step(member, self.pin) {
                Some(at) => member.at = at,
                None => {
                    member.at = None;
                    self.give_up(member.index);
                }
            }
        }
    }
}

/// Asks the processor for the pages that members come to.
fn ask(members: &[Member<'_>]) {
    for member in members {
        if let Some(At::Way(way)) = member.at
            && let Some(place) = member.table.place(way)
        {
            place.slots.prefetch_value(place.index, AHEAD);
        }
    }
}
