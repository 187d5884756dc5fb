//! Which crate of the workspace depends on which.

use std::fs;
use std::path::Path;

/// Folder of a crate, and the crates of the workspace that it may depend on.
const ALLOWED: &[(&str, &[&str])] = &[
    ("core", &[]),
    ("bindings", &["lightning_db"]),
    ("python", &["lightning_db_bindings"]),
    ("node", &["lightning_db_bindings"]),
    ("c", &["lightning_db_bindings"]),
    ("cli", &["lightning_db", "lightning_db_bindings"]),
    ("examples", &["lightning_db"]),
    ("bench", &["lightning_db", "lightning_db_bindings"]),
];

/// Dependencies against the direction, and crates without a rule.
pub fn check(root: &Path) -> Vec<String> {
    let read = |folder: &str| fs::read_to_string(root.join(folder).join("Cargo.toml")).expect(folder);
    let members = members(&read("."));
    assert!(members.iter().any(|member| member == "core"), "no members found in Cargo.toml");
    members.iter().flat_map(|member| check_manifest(member, &read(member))).collect()
}

fn members(manifest: &str) -> Vec<String> {
    let list = manifest.split_once("members = [").and_then(|(_, rest)| rest.split_once(']'));
    let names = list.map(|(list, _)| list.split(',')).into_iter().flatten();
    names.map(|name| name.trim().trim_matches('"').to_string()).filter(|name| !name.is_empty()).collect()
}

fn check_manifest(member: &str, manifest: &str) -> Vec<String> {
    let Some((_, allowed)) = ALLOWED.iter().find(|(folder, _)| *folder == member) else {
        return vec![format!("{member}: a crate without a rule in tidy/manifests.rs")];
    };
    let wrong = own_dependencies(manifest).into_iter().filter(|name| !allowed.contains(&name.as_str()));
    wrong.map(|name| format!("{member}/Cargo.toml: may not depend on {name}")).collect()
}

/// Crates of this workspace in any table of dependencies.
fn own_dependencies(manifest: &str) -> Vec<String> {
    let mut in_table = false;
    let mut found = Vec::new();
    for line in manifest.lines().map(str::trim) {
        let name = if let Some(table) = line.strip_prefix('[') {
            let table = table.trim_matches(['[', ']']);
            in_table = table.ends_with("dependencies");
            table.split_once("dependencies.").map(|(_, name)| name)
        } else {
            line.split(['=', '.', ' ']).next().filter(|_| in_table)
        };
        found.extend(name.filter(|name| name.starts_with("lightning_db")).map(str::to_string));
    }
    found
}

#[test]
fn wrong_dependencies_are_found() {
    let wrong = [
        ("core", "[dependencies]\nlightning_db_bindings.workspace = true\n"),
        ("bindings", "[dev-dependencies]\nlightning_db_examples = { path = \"../examples\" }\n"),
        ("c", "[target.'cfg(unix)'.dependencies]\nlightning_db = \"1\"\n"),
        ("python", "[dependencies.lightning_db]\nworkspace = true\n"),
        ("new", ""),
    ];
    for (member, manifest) in wrong {
        assert_eq!(check_manifest(member, manifest).len(), 1, "{member}: {manifest}");
    }
    let right = "[package]\nname = \"lightning_db_c\"\n[dependencies]\nlightning_db_bindings.workspace = true\nlibc = \"1\"\n";
    assert_eq!(check_manifest("c", right), [""; 0]);
    assert_eq!(members("[workspace]\nmembers = [\n  \"core\",\n  \"c\",\n]\n"), ["core", "c"]);
}
