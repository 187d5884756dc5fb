//! The tree as readers see it.

// Follows the root pointer.
#![allow(unsafe_code)]

use std::ptr::{NonNull, null_mut};

use crate::memtable::between_stores;
use crate::memtable::entries::Pointee;
use crate::memtable::leaf::{Leaf, LeafView};
use crate::memtable::node::{InnerView, Node};
use crate::memtable::search::Target;
use crate::memtable::stored::StoredRecord;
use crate::sync::{AtomicPtr, Ordering};

/// Searches that go down side by side.
pub const ABREAST: usize = 8;

/// Root of a tree whose nodes and records live as long as itself.
///
/// The writer changes what readers see by one store: of a node's permutation, or of the root. A node
/// that was replaced stays as it was, with all that was inserted before; so every node that a reader
/// reaches was in force at some time after the reader started, and holds all that it must see.
pub struct Tree {
    root: AtomicPtr<()>,
}

impl Tree {
    /// An empty tree.
    pub fn new() -> Self {
        Tree { root: AtomicPtr::new(null_mut()) }
    }

    /// The node on top; `None` when nothing has been inserted.
    #[inline]
    pub fn root(&self) -> Option<Node<'_>> {
        let root = NonNull::new(self.root.load(Ordering::Acquire))?;
        // SAFETY: stored by `set_root`, which promises the lifetime.
        Some(unsafe { Node::from_raw(root) })
    }

    /// Puts a node on top.
    ///
    /// # Safety
    /// Only the writer calls it; the node and all it leads to live as long as the tree.
    pub unsafe fn set_root(&self, root: Node<'_>) {
        self.root.store(root.raw().as_ptr(), Ordering::Release);
        between_stores();
    }

    /// The leaf in which `choose` ends, which is asked for a child at each inner node.
    #[inline]
    pub fn descend(&self, choose: impl Fn(InnerView<'_>) -> usize) -> Option<LeafView<'_>> {
        let mut node = self.root()?;
        loop {
            match node {
                Node::Leaf(leaf) => return Some(leaf.view()),
                Node::Inner(inner) => {
                    let view = inner.view();
                    node = view.child(choose(view));
                    node.prefetch();
                }
            }
        }
    }

    /// The leaves in which searches end, at most [`ABREAST`] of them. They go down side by side, so that what they
    /// wait for comes at the same time; the leaves have been asked for, not waited for.
    pub fn descend_abreast<'t>(&'t self, targets: &[Target<'_>]) -> [Option<&'t Leaf>; ABREAST] {
        let mut nodes = [self.root(); ABREAST];
        // All leaves are equally deep.
        loop {
            let mut is_down = true;
            for (node, target) in nodes.iter_mut().zip(targets) {
                let Some(Node::Inner(inner)) = *node else { continue };
                let view = inner.view();
                let child = view.child(target.child_in(view));
                child.prefetch();
                is_down = false;
                *node = Some(child);
            }
            if is_down {
                break;
            }
        }
        nodes.map(|node| match node {
            Some(Node::Leaf(leaf)) => Some(leaf),
            _ => None,
        })
    }

    /// The first record at or behind `target`.
    pub fn seek(&self, target: &Target<'_>) -> Option<Place<'_>> {
        let leaf = self.descend(|inner| target.child_in(inner))?;
        Place::at(leaf, target)
    }

    /// The record of `target`'s key that [`seek`](Self::seek) would find, or else any record or none.
    #[inline]
    pub fn find(&self, target: &Target<'_>) -> Option<StoredRecord<'_>> {
        let leaf = self.descend(|inner| target.child_in(inner))?;
        let position = target.position_in(leaf);
        if position < leaf.len() {
            let record = leaf.record(position);
            record.prefetch();
            return Some(record);
        }
        if leaf.slots().shape().straddles { self.seek(target).map(Place::record) } else { None }
    }

    /// The last record in front of `target`.
    pub fn seek_before(&self, target: &Target<'_>) -> Option<Place<'_>> {
        let leaf = self.descend(|inner| target.child_in(inner))?;
        Place::before(leaf, target)
    }

    /// The first record.
    pub fn first(&self) -> Option<Place<'_>> {
        Some(Place::new(self.descend(|_| 0)?, 0))
    }

    /// The leaf of the last record.
    pub fn last_leaf(&self) -> Option<&Leaf> {
        Some(self.descend(|inner| inner.len() - 1)?.leaf())
    }

    /// The last record.
    pub fn last(&self) -> Option<Place<'_>> {
        let leaf = self.last_leaf()?.view();
        Some(Place::new(leaf, leaf.len() - 1))
    }
}

/// A record's place in the tree, with the leaf as it was when the place was reached.
///
/// A leaf that is replaced keeps its content and its links; the links of leaves in force lead to leaves
/// in force. So a walk from a leaf that was in force sees at least what was there when it began.
#[derive(Clone, Copy)]
pub struct Place<'t> {
    leaf: LeafView<'t>,
    position: usize,
    /// Whether this is a walk, which has asked for the records and the leaf that come next.
    walking: bool,
}

impl<'t> Place<'t> {
    fn new(leaf: LeafView<'t>, position: usize) -> Self {
        Place { leaf, position, walking: false }
    }

    /// The first record at or behind `target`, which a search has led to `leaf`.
    pub fn at(leaf: LeafView<'t>, target: &Target<'_>) -> Option<Self> {
        let position = target.position_in(leaf);
        if position < leaf.len() {
            return Some(Place::new(leaf, position));
        }
        let mut place = Place::new(leaf.leaf().next()?.view(), 0);
        // A leaf that was appended after the search passed its parent may start in front of the target.
        while target.is_behind(place.record()) {
            place = place.next()?;
        }
        Some(place)
    }

    /// The last record in front of `target`, which a search has led to `leaf`.
    pub fn before(leaf: LeafView<'t>, target: &Target<'_>) -> Option<Self> {
        if let Some(position) = target.position_in(leaf).checked_sub(1) {
            return Some(Place::new(leaf, position));
        }
        let leaf = leaf.leaf().prev()?.view();
        Some(Place::new(leaf, leaf.len() - 1))
    }

    /// The record.
    #[inline]
    pub fn record(self) -> StoredRecord<'t> {
        self.leaf.record(self.position)
    }

    /// One forward.
    #[inline]
    pub fn next(self) -> Option<Self> {
        if self.position + 1 < self.leaf.len() {
            if !self.walking {
                self.leaf.prefetch_forward();
            }
            return Some(Place { position: self.position + 1, walking: true, ..self });
        }
        let leaf = self.leaf.leaf().next()?.view();
        if self.walking {
            leaf.leaf().next().inspect(|leaf| leaf.view().prefetch_forward());
        } else {
            leaf.prefetch_forward();
        }
        Some(Place { leaf, position: 0, walking: true })
    }

    /// One backward.
    #[inline]
    pub fn prev(self) -> Option<Self> {
        if self.position > 0 {
            if !self.walking {
                self.leaf.prefetch_backward();
            }
            return Some(Place { position: self.position - 1, walking: true, ..self });
        }
        let leaf = self.leaf.leaf().prev()?.view();
        if self.walking {
            leaf.leaf().prev().inspect(|leaf| leaf.view().prefetch_backward());
        } else {
            leaf.prefetch_backward();
        }
        Some(Place { leaf, position: leaf.len() - 1, walking: true })
    }
}
