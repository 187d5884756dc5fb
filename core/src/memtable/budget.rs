//! How many nodes inserts can make at most, so that memory for them can be had beforehand.

/// A number of new nodes that is not exceeded.
pub struct NodesNeeded {
    /// Leaves.
    pub leaves: usize,
    /// Nodes above them.
    pub inner_nodes: usize,
}

/// For levels that do not exist yet.
pub const SPARE: usize = 4;

/// The most nodes that `inserts` inserts can make in a tree with so many nodes by level.
///
/// A leaf that is full at the start can take two inserts at two nodes each: a split where its last
/// inserts went, which leaves one leaf full, and a split of that in halves. Other leaves need six
/// inserts for these two splits, and seven for one in halves.
///
/// An inner node likewise can be due at the start: replaced by two. Other ones need four changes of
/// their children to be replaced by one, and two more to be replaced by two; each is a change for the
/// node above.
pub fn nodes_needed(nodes_of_level: &[usize], inserts: usize) -> NodesNeeded {
    let leaves_now = nodes_of_level.first().copied().unwrap_or(0);
    let due = inserts.min(2 * leaves_now);
    let others = inserts - due;
    let leaves = (2 * due).saturating_add(others - others / 3);

    let mut changes = due + others.div_ceil(3);
    let mut inner_nodes = SPARE;
    for &nodes_now in nodes_of_level.iter().skip(1) {
        let due = changes.min(nodes_now);
        let others = (changes - due).div_ceil(2);
        inner_nodes += 2 * due + others;
        changes = if nodes_now > 0 { due + others } else { others / 2 };
    }
    NodesNeeded { leaves, inner_nodes }
}
