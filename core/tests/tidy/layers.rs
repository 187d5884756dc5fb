//! The layers of `lib.rs`, and who imports whom.

use std::collections::{BTreeMap, BTreeSet};

use crate::source::{Source, Tree, closing, is_word, words};

/// A group of modules: `// N: name`, then their `mod` lines.
struct Group {
    title: String,
    modules: Vec<String>,
}

/// An import of one top-level module by another, with the places where it is written.
type Edges = BTreeMap<(String, String), Vec<String>>;

/// Who imports whom.
pub struct Graph {
    groups: Vec<Group>,
    /// Imports between two top-level modules.
    pub edges: Edges,
    broken: Vec<String>,
}

impl Graph {
    /// Reads the groups of `lib.rs` and the imports of all other files.
    pub fn of(tree: &Tree) -> Graph {
        let (groups, mut broken) = groups(tree.file("lib.rs"));
        let mut edges = Edges::new();
        let known: BTreeSet<&String> = groups.iter().flat_map(|group| &group.modules).collect();
        for file in tree.files.iter().filter(|file| file.path != "lib.rs") {
            let own = top(&file.module());
            if !known.contains(&own) && !file.production.trim().is_empty() {
                broken.push(format!("{}: module {own} is in no group of lib.rs", file.path));
            }
            for (offset, target) in root_imports(file) {
                if !known.contains(&target) {
                    let what = format!("crate::{target} is not a module: name the module that defines it");
                    broken.push(file.at(offset, &what));
                } else if target != own {
                    edges.entry((own.clone(), target)).or_default().push(file.at(offset, ""));
                }
            }
        }
        Graph { groups, edges, broken }
    }

    /// Imports that run from a group to one below it, and whatever could not be judged.
    pub fn violations(&self) -> Vec<String> {
        let mut violations = self.broken.clone();
        for ((from, to), places) in &self.edges {
            if self.rank(to) > self.rank(from) {
                violations.push(format!(
                    "{} {} imports {}",
                    places.join(" "),
                    self.label(from),
                    self.label(to)
                ));
            }
        }
        violations
    }

    /// Imports between two modules of one group; allowed while there is no cycle.
    pub fn inside_a_group(&self) -> Vec<String> {
        let edges = self.edges.keys().filter(|(from, to)| self.rank(from) == self.rank(to));
        edges.map(|(from, to)| format!("{from} imports {to}")).collect()
    }

    /// Cycles, each written from one of its modules.
    pub fn cycles(&self) -> Vec<String> {
        let modules: BTreeSet<&String> = self.edges.keys().map(|(from, _)| from).collect();
        let on_cycle = modules.into_iter().filter_map(|start| {
            let path = self.path(start, start)?;
            // Each cycle is reported once: from its first module.
            (path.iter().min() == Some(start)).then(|| format!("cycle: {} -> {start}", path.join(" -> ")))
        });
        on_cycle.collect()
    }

    /// A shortest way from a module to another by imports.
    fn path(&self, from: &str, to: &str) -> Option<Vec<String>> {
        let mut ways = vec![vec![from.to_string()]];
        let mut seen = BTreeSet::new();
        while !ways.is_empty() {
            let mut longer = Vec::new();
            for way in ways {
                let last = way.last()?;
                for (_, next) in self.edges.keys().filter(|(start, _)| start == last) {
                    if next == to {
                        return Some(way);
                    }
                    if seen.insert(next.clone()) {
                        longer.push(way.iter().chain([next]).cloned().collect());
                    }
                }
            }
            ways = longer;
        }
        None
    }

    fn rank(&self, module: &str) -> usize {
        let found = self.groups.iter().position(|group| group.modules.iter().any(|name| name == module));
        found.expect("a module of a group")
    }

    fn label(&self, module: &str) -> String {
        format!("{module} ({})", self.groups[self.rank(module)].title)
    }
}

fn top(module: &str) -> String {
    module.split("::").next().unwrap_or_default().to_string()
}

/// The groups of `lib.rs`, and the modules that stand in front of the first.
fn groups(lib: &Source) -> (Vec<Group>, Vec<String>) {
    let mut groups: Vec<Group> = Vec::new();
    let mut broken = Vec::new();
    for (line, code) in lib.text.lines().zip(lib.production.lines()) {
        if let Some(title) = group_title(line) {
            if title.split(':').next() != Some(&groups.len().to_string()) {
                broken.push(format!("lib.rs: group {title:?} should have the number {}", groups.len()));
            }
            groups.push(Group { title, modules: Vec::new() });
        } else if let Some(module) = declared_module(code) {
            match groups.last_mut() {
                Some(group) => group.modules.push(module),
                None => broken.push(format!("lib.rs: module {module} stands in front of the groups")),
            }
        }
    }
    (groups, broken)
}

/// `0: vocabulary` of the line `// 0: vocabulary`.
fn group_title(line: &str) -> Option<String> {
    let title = line.strip_prefix("// ")?;
    let (number, name) = title.split_once(": ")?;
    (number.parse::<usize>().is_ok() && !name.is_empty()).then(|| title.to_string())
}

fn declared_module(line: &str) -> Option<String> {
    let (before, rest) = line.split_once("mod ")?;
    let plain = before.trim().is_empty() || before.trim().starts_with("pub");
    let name = rest.trim().strip_suffix(';')?;
    plain.then(|| name.trim().to_string())
}

/// The top-level modules that the production code of a file names, by `crate::` or enough `super::`.
fn root_imports(file: &Source) -> Vec<(usize, String)> {
    let code = &file.production;
    let depth = file.module().split("::").count();
    let mut imports: Vec<(usize, String)> = Vec::new();
    for start in words(code, "crate") {
        imports.extend(next_segments(code, start + "crate".len()).into_iter().map(|name| (start, name)));
    }
    for start in words(code, "super").filter(|&start| !code[..start].ends_with("::")) {
        let mut end = start + "super".len();
        let mut ups = 1;
        while code[end..].starts_with("::super") {
            end += "::super".len();
            ups += 1;
        }
        if ups >= depth + inline_depth(code, start) {
            imports.extend(next_segments(code, end).into_iter().map(|name| (start, name)));
        }
    }
    imports
}

/// Number of `mod name { … }` around an offset.
fn inline_depth(code: &str, offset: usize) -> usize {
    let bodies = words(code, "mod").filter_map(|start| {
        let open = start + code[start..].find(['{', ';'])?;
        code[open..].starts_with('{').then(|| open..closing(code, open))
    });
    bodies.filter(|body| body.contains(&offset)).count()
}

/// The names that follow `::`, one or a braced list of them.
fn next_segments(code: &str, end: usize) -> Vec<String> {
    let Some(rest) = code[end..].strip_prefix("::") else { return Vec::new() };
    if !rest.starts_with('{') {
        return vec![leading_word(rest)];
    }
    let list = &rest[1..closing(rest, 0).saturating_sub(1)];
    let mut depth = 0;
    let items = list.split(|c| {
        depth += i32::from(c == '{') - i32::from(c == '}');
        c == ',' && depth == 0
    });
    items.map(|item| leading_word(item.trim())).filter(|name| !name.is_empty()).collect()
}

fn leading_word(text: &str) -> String {
    text.bytes().take_while(|&byte| is_word(byte)).map(char::from).collect()
}

#[cfg(test)]
const LIB: &str = "// 0: low\nmod a;\npub mod b;\n\n// 1: high\nmod c;\npub(crate) mod d;\n";

#[test]
fn groups_are_read() {
    let graph = Graph::of(&Tree::sample(&[("lib.rs", LIB), ("c.rs", "use crate::a::X;")]));
    assert_eq!(graph.groups[1].title, "1: high");
    assert_eq!(graph.groups[1].modules, ["c", "d"]);
    assert_eq!(graph.violations(), [""; 0]);
    let odd = Graph::of(&Tree::sample(&[("lib.rs", "mod x;\n// 1: one\nmod y;")]));
    assert_eq!(odd.violations().len(), 2, "{:?}", odd.violations());
}

#[test]
fn imports_against_the_layers_are_found() {
    let wrong = [
        ("a.rs", "use crate::c::X;"),
        ("a/deep.rs", "use crate::{a::Y, b::{P, Q}, c};"),
        ("a/deep.rs", "fn f() { super::super::c::f() }"),
        ("a.rs", "use super::c;"),
        ("a.rs", "pub(in crate::d) fn f() {}"),
        ("a.rs", "mod inner { use super::super::d; }"),
        ("a.rs", "use crate::Error;"),
        ("lost.rs", "fn f() {}"),
    ];
    for (path, text) in wrong {
        let graph = Graph::of(&Tree::sample(&[("lib.rs", LIB), (path, text)]));
        assert_eq!(graph.violations().len(), 1, "{path}: {text}: {:?}", graph.violations());
    }
    let right = [
        ("c.rs", "use crate::{a::X, b};\nuse super::d;"),
        ("a/deep.rs", "use super::other; use crate::a::X; // crate::c"),
        ("a.rs", "mod inner { use super::c; }"),
        ("a.rs", "#[cfg(test)]\nmod tests { use crate::c; }"),
        ("a/tests.rs", "use crate::c;"),
    ];
    for (path, text) in right {
        let graph = Graph::of(&Tree::sample(&[("lib.rs", LIB), (path, text)]));
        assert_eq!(graph.violations(), [""; 0], "{path}: {text}");
    }
}

#[test]
fn cycles_are_found_once() {
    let files =
        [("lib.rs", LIB), ("a.rs", "use crate::b;"), ("b.rs", "use crate::a;"), ("c.rs", "use crate::a;")];
    let graph = Graph::of(&Tree::sample(&files));
    assert_eq!(graph.cycles(), ["cycle: a -> b -> a"]);
    assert_eq!(graph.inside_a_group().len(), 2);
    assert_eq!(graph.violations(), [""; 0]);
}
