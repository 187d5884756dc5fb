//! Judges a history of transactions that append to lists and read them: which transaction depends on which, and what
//! the cycles among these dependencies are called.
//!
//! A list says in which order its elements were appended, so every dependency is known (A. Adya, "Weak consistency", 1999;
//! P. Alvaro and K. Kingsbury, "Elle", VLDB 2020).

use std::collections::{BTreeMap, BTreeSet};

/// A step of a transaction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Op {
    /// Puts an element, of which there is one alone, at the end of a list.
    Append(u64, u64),
    /// What a list was.
    Read(u64, Vec<u64>),
}

/// How a transaction ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    Committed,
    Aborted,
    /// The process died: it may have been committed.
    Unknown,
}

/// A transaction of a session, which has one at a time; in a history those of a session stand in their order.
#[derive(Clone, Debug)]
pub struct Done {
    pub session: u64,
    pub ops: Vec<Op>,
    pub end: End,
}

/// What is wrong with a history, or what its cycles are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Anomaly {
    /// Writes alone depend on each other in a circle.
    G0,
    /// Something of an aborted transaction was read.
    G1a,
    /// Something was read that its transaction had not left so.
    G1b,
    /// Writes and reads of what was written, in a circle.
    G1c,
    /// A circle with one read of what was then overwritten.
    GSingle,
    /// A circle with several.
    G2,
    /// A committed element is in no list at the end.
    Lost,
    /// Two reads of a list do not go together, or one and what its transaction itself did.
    Incompatible,
}

/// How one transaction depends on another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Edge {
    /// Appends behind it.
    Ww,
    /// Reads what it wrote, or comes behind it in its session.
    Wr,
    /// Overwrites what it read.
    Rw,
}

type Edges = BTreeMap<usize, BTreeSet<(Edge, usize)>>;

/// All anomalies of a history, each with one transaction of it. The lists at the end must have been read.
pub fn anomalies(history: &[Done]) -> BTreeMap<Anomaly, usize> {
    let mut found = BTreeMap::new();
    let writers = writers(history);
    let lists = lists(history, &mut found);
    let mut edges = Edges::new();
    for (key, list) in &lists {
        note_order(*key, list, &writers, history, &mut edges, &mut found);
    }
    for (reader, done) in history.iter().enumerate().filter(|(_, done)| done.end == End::Committed) {
        note_reads(reader, done, &lists, &writers, &mut edges, &mut found);
        for (nth, op) in done.ops.iter().enumerate() {
            let Op::Append(key, element) = op else { continue };
            if !lists.get(key).is_some_and(|list| list.contains(element)) {
                found.insert(Anomaly::Lost, reader);
            }
            debug_assert!(done.ops[..nth].iter().all(|before| before != op), "elements are unique");
        }
    }
    let mut last: BTreeMap<u64, usize> = BTreeMap::new();
    for (nth, done) in history.iter().enumerate().filter(|(_, done)| done.end == End::Committed) {
        if let Some(before) = last.insert(done.session, nth) {
            edges.entry(before).or_default().insert((Edge::Wr, nth));
        }
    }
    name_cycles(&edges, &mut found);
    found
}

/// Who appended each element.
fn writers(history: &[Done]) -> BTreeMap<(u64, u64), usize> {
    let appends = |(nth, done): (usize, &Done)| {
        let of = move |op: &Op| match op {
            Op::Append(key, element) => Some(((*key, *element), nth)),
            Op::Read(..) => None,
        };
        done.ops.iter().filter_map(of).collect::<Vec<_>>()
    };
    history.iter().enumerate().flat_map(appends).collect()
}

/// What a transaction read from outside, less what it had appended itself: each list, and whether both fit.
fn outer_reads(done: &Done) -> Vec<(u64, Vec<u64>, bool)> {
    let mut own: BTreeMap<u64, Vec<u64>> = BTreeMap::new();
    let mut reads = Vec::new();
    for op in &done.ops {
        match op {
            Op::Append(key, element) => own.entry(*key).or_default().push(*element),
            Op::Read(key, list) => {
                let own = own.get(key).map_or(&[][..], |own| own);
                match list.strip_suffix(own) {
                    Some(outer) => reads.push((*key, outer.to_vec(), true)),
                    None => reads.push((*key, list.clone(), false)),
                }
            }
        }
    }
    reads
}

/// The longest read of each list: every other one is a part of it, from its beginning on.
fn lists(history: &[Done], found: &mut BTreeMap<Anomaly, usize>) -> BTreeMap<u64, Vec<u64>> {
    let mut lists: BTreeMap<u64, Vec<u64>> = BTreeMap::new();
    for (nth, done) in history.iter().enumerate().filter(|(_, done)| done.end == End::Committed) {
        let mut within: BTreeMap<u64, Vec<u64>> = BTreeMap::new();
        for (key, list, fits) in outer_reads(done) {
            let same = within.entry(key).or_insert_with(|| list.clone()) == &list;
            let longest = lists.entry(key).or_default();
            let (short, long) =
                if list.len() > longest.len() { (&*longest, &list) } else { (&list, &*longest) };
            let unique: BTreeSet<_> = list.iter().collect();
            if !fits || !same || !long.starts_with(short) || unique.len() < list.len() {
                found.insert(Anomaly::Incompatible, nth);
            }
            if list.len() > longest.len() {
                *longest = list;
            }
        }
    }
    lists
}

/// Who appended behind whom.
fn note_order(
    key: u64,
    list: &[u64],
    writers: &BTreeMap<(u64, u64), usize>,
    history: &[Done],
    edges: &mut Edges,
    found: &mut BTreeMap<Anomaly, usize>,
) {
    let of = |element: &u64| writers.get(&(key, *element)).copied();
    for element in list {
        match of(element) {
            None => drop(found.insert(Anomaly::Incompatible, usize::MAX)),
            Some(writer) if history[writer].end == End::Aborted => drop(found.insert(Anomaly::G1a, writer)),
            Some(_) => {}
        }
    }
    for pair in list.windows(2) {
        if let (Some(before), Some(behind)) = (of(&pair[0]), of(&pair[1]))
            && before != behind
        {
            edges.entry(before).or_default().insert((Edge::Ww, behind));
        }
    }
}

/// Whose elements were read, and who appended behind what was read.
fn note_reads(
    reader: usize,
    done: &Done,
    lists: &BTreeMap<u64, Vec<u64>>,
    writers: &BTreeMap<(u64, u64), usize>,
    edges: &mut Edges,
    found: &mut BTreeMap<Anomaly, usize>,
) {
    for (key, list, _) in outer_reads(done) {
        let of = |element: Option<&u64>| writers.get(&(key, *element?)).copied();
        let next = lists.get(&key).and_then(|all| all.get(list.len()));
        let (last, next) = (of(list.last()), of(next));
        if let Some(writer) = last.filter(|writer| *writer != reader) {
            edges.entry(writer).or_default().insert((Edge::Wr, reader));
            if next == Some(writer) {
                found.insert(Anomaly::G1b, reader);
            }
        }
        if let Some(writer) = next.filter(|writer| *writer != reader) {
            edges.entry(reader).or_default().insert((Edge::Rw, writer));
        }
    }
}

/// Names what is in a circle.
fn name_cycles(edges: &Edges, found: &mut BTreeMap<Anomaly, usize>) {
    let cyclic = on_cycles(edges);
    let mut inner = edges.clone();
    inner.retain(|from, _| cyclic.contains(from));
    inner.values_mut().for_each(|to| to.retain(|(_, to)| cyclic.contains(to)));
    for (&from, edge, to) in
        inner.iter().flat_map(|(from, to)| to.iter().map(move |(edge, to)| (from, *edge, *to)))
    {
        let anomaly = match edge {
            Edge::Ww if reaches(&inner, to, from, Edge::Ww) => Anomaly::G0,
            Edge::Ww | Edge::Wr if reaches(&inner, to, from, Edge::Wr) => Anomaly::G1c,
            Edge::Rw if reaches(&inner, to, from, Edge::Wr) => Anomaly::GSingle,
            Edge::Rw if reaches(&inner, to, from, Edge::Rw) => Anomaly::G2,
            _ => continue,
        };
        found.entry(anomaly).or_insert(from);
    }
}

/// What is left when those that nothing leads to are taken away again and again, and then those that lead nowhere.
fn on_cycles(edges: &Edges) -> BTreeSet<usize> {
    let pairs = || edges.iter().flat_map(|(from, to)| to.iter().map(move |(_, to)| (*from, *to)));
    let entered = peeled(pairs());
    peeled(
        pairs()
            .filter(|(from, to)| entered.contains(from) && entered.contains(to))
            .map(|(from, to)| (to, from)),
    )
}

/// The nodes of a graph that are behind a circle of it (A. B. Kahn, 1962).
fn peeled(pairs: impl Iterator<Item = (usize, usize)>) -> BTreeSet<usize> {
    let (mut next, mut entries): (BTreeMap<usize, Vec<usize>>, BTreeMap<usize, usize>) = Default::default();
    for (from, to) in pairs {
        next.entry(from).or_default().push(to);
        entries.entry(from).or_default();
        *entries.entry(to).or_default() += 1;
    }
    let mut free: Vec<usize> =
        entries.iter().filter(|(_, count)| **count == 0).map(|(node, _)| *node).collect();
    while let Some(node) = free.pop() {
        entries.remove(&node);
        for to in next.get(&node).into_iter().flatten() {
            let count = entries.entry(*to).or_default();
            *count -= 1;
            if *count == 0 {
                free.push(*to);
            }
        }
    }
    entries.into_keys().collect()
}

/// Whether a way leads there by edges up to this kind.
fn reaches(edges: &Edges, from: usize, to: usize, most: Edge) -> bool {
    let (mut seen, mut ways) = (BTreeSet::from([from]), vec![from]);
    while let Some(at) = ways.pop() {
        if at == to {
            return true;
        }
        for (_, next) in edges.get(&at).into_iter().flatten().filter(|(edge, _)| *edge <= most) {
            if seen.insert(*next) {
                ways.push(*next);
            }
        }
    }
    false
}
