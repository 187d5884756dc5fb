//! What an insert does when its leaf is full: new nodes beside the tree, made visible by one store.

// Creates nodes, and publishes them as the one writer.
#![allow(unsafe_code)]

use std::ops::ControlFlow;

use crate::base::comparator::KeyOrder;
use crate::base::error::{Error, ErrorKind, Result};
use crate::memtable::Memtable;
use crate::memtable::entries::{Entry, Pointee, head};
use crate::memtable::leaf::{Leaf, LeafView};
use crate::memtable::node::{Inner, InnerView, Node};
use crate::memtable::permutation::{Permutation, SLOTS};
use crate::memtable::search::Target;
use crate::memtable::slots::{Shape, SlotsView};
use crate::memtable::stored::StoredRecord;
use crate::memtable::writer::Store;

/// A leaf is split where the last inserts went if so many went one beside the other.
const RUN: usize = 6;
/// An inner node without free slots is replaced by one node if it has so many children or fewer.
const COMPACTED_MAX: usize = 12;

/// Inserts into the leaf of `target`, which is full. If memory ends, nothing has changed. The store is
/// the table's own.
#[cold]
pub fn split_and_insert<'t>(
    table: &'t Memtable,
    store: &mut Store,
    target: &Target<'_>,
    record: StoredRecord<'t>,
) -> Result<()> {
    let Some(root) = table.tree.root() else { return Ok(()) };
    Splitter { table, store }.descend(root, None, target, record)
}

/// The inner nodes above a node, the nearest first.
#[derive(Clone, Copy)]
struct Above<'a, 't> {
    inner: InnerView<'t>,
    /// Of the child below.
    position: usize,
    above: Option<&'a Above<'a, 't>>,
}

impl<'a, 't> Above<'a, 't> {
    fn upwards(way: Option<&'a Self>) -> impl Iterator<Item = &'a Self> {
        std::iter::successors(way, |step| step.above)
    }

    /// Whether the node below is the first of its level.
    fn is_first(way: Option<&'a Self>) -> bool {
        Self::upwards(way).all(|step| step.position == 0)
    }

    /// The key at which the node below ends; `None` if it is the last of its level.
    fn upper_key(way: Option<&'a Self>) -> Option<&'t [u8]> {
        let step = Self::upwards(way).find(|step| step.position + 1 < step.inner.len())?;
        Some(step.inner.child(step.position + 1).fence().record.key())
    }
}

/// What has to become of a node.
#[derive(Clone, Copy)]
struct Change<'t> {
    /// Another in its place.
    replacement: Option<Node<'t>>,
    /// A new one behind it.
    added: Option<Node<'t>>,
}

/// The store that makes a change visible.
enum Publication<'t> {
    Children(&'t Inner, Permutation),
    Root(Node<'t>),
}

struct Splitter<'s, 't> {
    table: &'t Memtable,
    store: &'s mut Store,
}

impl<'t> Splitter<'_, 't> {
    fn descend(
        mut self,
        node: Node<'t>,
        above: Option<&Above<'_, 't>>,
        target: &Target<'_>,
        record: StoredRecord<'t>,
    ) -> Result<()> {
        match node {
            Node::Inner(inner) => {
                let inner = inner.view();
                let position = target.child_in(inner);
                let child = inner.child(position);
                self.descend(child, Some(&Above { inner, position, above }), target, record)
            }
            Node::Leaf(leaf) => {
                let leaf = leaf.view();
                let entry = Entry { head: target.head(leaf.slots().shape().prefix_len), to: record };
                self.split_leaf(leaf, above, target.position_in(leaf), entry)
            }
        }
    }

    fn split_leaf(
        &mut self,
        old: LeafView<'t>,
        above: Option<&Above<'_, 't>>,
        position: usize,
        entry: Entry<StoredRecord<'t>>,
    ) -> Result<()> {
        let mut entries = old.entries();
        entries.insert(position, entry);
        let cut = cut(old.slots(), position);
        let (left, right) = entries.as_mut_slice().split_at_mut(cut);
        let [.., last] = left else { return Ok(()) };
        let [first, ..] = right else { return Ok(()) };
        // Its key is read only if it must be: it may be far from the cache.
        let middle = first.to;
        let cuts_versions = last.head == first.head && last.to.key() == middle.key();

        let mut shape = Shape { exact: cuts_versions, ..old.slots().shape() };
        tighten(&self.table.order, &mut shape, right, || Some((middle.key(), Above::upper_key(above)?)));
        let right = self.leaf(shape, right)?;
        let mut shape = Shape { straddles: cuts_versions, ..old.slots().shape() };
        let lower = left.first().map(|entry| entry.to).filter(|_| !Above::is_first(above));
        let tightened = tighten(&self.table.order, &mut shape, left, || Some((lower?.key(), middle.key())));
        if cut == position && cut == SLOTS && !cuts_versions && !tightened {
            // The old leaf keeps all that it has, and its range ends where the new leaf starts.
            let publication =
                self.install(above, Change { replacement: None, added: Some(Node::Leaf(right)) })?;
            old.slots().forget_ages();
            self.publish(publication, Some(old.leaf()), &[right], old.leaf().next());
            return Ok(());
        }
        let left = self.leaf(shape, left)?;
        let change = Change { replacement: Some(Node::Leaf(left)), added: Some(Node::Leaf(right)) };
        let publication = self.install(above, change)?;
        self.publish(publication, old.leaf().prev(), &[left, right], old.leaf().next());
        Ok(())
    }

    /// Prepares a change of the node below `above`, and all that follows from it upwards.
    fn install(&mut self, above: Option<&Above<'_, 't>>, mut change: Change<'t>) -> Result<Publication<'t>> {
        for step in Above::upwards(above) {
            if let Some(node) = change.added {
                self.count(node.level())?;
            }
            match self.change_inner(step, change)? {
                ControlFlow::Break(publication) => return Ok(publication),
                ControlFlow::Continue(parents) => change = parents,
            }
        }
        let Some(left) = change.replacement.or(self.table.tree.root()) else { return Err(too_high()) };
        let Some(right) = change.added else { return Ok(Publication::Root(left)) };
        let level = right.level() + 1;
        self.count(right.level())?;
        self.count(level)?;
        let fence = right.fence().record;
        let entries =
            [Entry { head: 0, to: left }, Entry { head: right.fence_head(&self.table.order, 0), to: right }];
        let shape = Shape { level, prefix_len: 0, exact: false, straddles: false };
        Ok(Publication::Root(Node::Inner(self.inner(shape, fence, &entries)?)))
    }

    /// Prepares a change of a child: in free slots, or else as a change of the inner node itself.
    fn change_inner(
        &mut self,
        step: &Above<'_, 't>,
        change: Change<'t>,
    ) -> Result<ControlFlow<Publication<'t>, Change<'t>>> {
        let Above { inner: old, position, above } = *step;
        let order = &self.table.order;
        let shape = old.slots().shape();
        let added = change.added.map(|to| Entry { head: to.fence_head(order, shape.prefix_len), to });
        let needed = usize::from(change.replacement.is_some()) + usize::from(added.is_some());
        if needed <= old.slots().permutation().free() {
            // SAFETY: this is the writer; there is room; the nodes live as long as the table.
            let permutation = unsafe { old.prepare(position, change.replacement, added) };
            return Ok(ControlFlow::Break(Publication::Children(old.inner(), permutation)));
        }
        let mut entries = old.entries();
        if let Some(replacement) = change.replacement {
            entries.as_mut_slice()[position].to = replacement;
        }
        if let Some(entry) = added {
            entries.insert(position + 1, entry);
        }
        let entries = entries.as_mut_slice();
        let fence = Node::Inner(old.inner()).fence().record;
        if entries.len() <= COMPACTED_MAX {
            let node = Node::Inner(self.inner(shape, fence, entries)?);
            return Ok(ControlFlow::Continue(Change { replacement: Some(node), added: None }));
        }
        let appended = change.replacement.is_none() && position + 1 == SLOTS;
        let (left, right) = entries.split_at_mut(if appended { SLOTS } else { entries.len() / 2 });
        let [first, ..] = right else { return Err(too_high()) };
        let middle = first.to.fence();
        let mut right_shape = Shape { exact: middle.exact, ..shape };
        tighten(order, &mut right_shape, right, || Some((middle.record.key(), Above::upper_key(above)?)));
        let right = Some(Node::Inner(self.inner(right_shape, middle.record, right)?));
        if appended {
            return Ok(ControlFlow::Continue(Change { replacement: None, added: right }));
        }
        let lower = (!Above::is_first(above)).then_some(fence);
        let mut left_shape = shape;
        tighten(order, &mut left_shape, left, || Some((lower?.key(), middle.record.key())));
        let left = Some(Node::Inner(self.inner(left_shape, fence, left)?));
        Ok(ControlFlow::Continue(Change { replacement: left, added: right }))
    }

    /// Puts new leaves into the chain and makes all visible.
    fn publish(&self, publication: Publication<'t>, prev: Option<&Leaf>, new: &[&Leaf], next: Option<&Leaf>) {
        // SAFETY: this is the writer; the nodes are of its table, complete, and live as long.
        unsafe {
            Leaf::splice(prev, new, next);
            match publication {
                Publication::Children(inner, permutation) => inner.publish(permutation),
                Publication::Root(node) => self.table.tree.set_root(node),
            }
        }
    }

    fn leaf(&mut self, shape: Shape, entries: &[Entry<StoredRecord<'t>>]) -> Result<&'t Leaf> {
        // SAFETY: the store is the table's own and lives as long; only nodes come from this arena.
        unsafe { Leaf::create(&mut self.store.leaves, shape, entries) }
    }

    fn inner(
        &mut self,
        shape: Shape,
        fence: StoredRecord<'t>,
        entries: &[Entry<Node<'t>>],
    ) -> Result<&'t Inner> {
        // SAFETY: as in `leaf`.
        unsafe { Inner::create(&mut self.store.inner_nodes, shape, fence, entries) }
    }

    /// One node more, if the insert does not fail; a count that is too high does no harm.
    fn count(&mut self, level: u8) -> Result<()> {
        let nodes = self.store.nodes_of_level.get_mut(usize::from(level)).ok_or_else(too_high)?;
        *nodes += 1;
        Ok(())
    }
}

/// How many records, with the new one at `position`, go to the left when a full leaf is split.
fn cut(leaf: SlotsView<'_>, position: usize) -> usize {
    let rising = (0..RUN).all(|age| position > age && leaf.age(position - 1 - age) == Some(age));
    let falling = (0..RUN).all(|age| leaf.age(position + age) == Some(age));
    if rising || falling { (position + 1).min(SLOTS) } else { SLOTS / 2 }
}

/// Lengthens the prefix of a new node if the heads of its entries differ little, to what the keys at
/// both its ends (`bounds`; `None` if an end is open) have in common. So heads tell keys apart that
/// share many bytes; and a split of a node whose heads do that already reads no keys. Returns whether
/// it did so.
fn tighten<'k, P: Pointee>(
    order: &KeyOrder,
    shape: &mut Shape,
    entries: &mut [Entry<P>],
    bounds: impl FnOnce() -> Option<(&'k [u8], &'k [u8])>,
) -> bool {
    let (Some(first), Some(last)) = (entries.first(), entries.last()) else { return false };
    if !order.is_bytewise() || (first.head ^ last.head) >> 32 != 0 {
        return false;
    }
    let Some((lower, upper)) = bounds() else { return false };
    let shared = lower.iter().zip(upper).take_while(|(a, b)| a == b).count();
    if shared <= shape.prefix_len {
        return false;
    }
    shape.prefix_len = shared;
    for entry in entries {
        entry.head = head(order, entry.to.key(), shared);
    }
    true
}

#[cold]
fn too_high() -> Error {
    Error::new(ErrorKind::OutOfMemory, "a memtable cannot have so many levels")
}
