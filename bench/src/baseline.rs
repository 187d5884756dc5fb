//! Figures of an earlier commit, to see what has moved.

use std::collections::BTreeMap;
use std::fmt::Write;

use serde::{Deserialize, Serialize};

/// What is compared between commits.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Baseline {
    /// When it was taken.
    pub commit: String,
    /// Instructions of our hot paths.
    pub instructions: BTreeMap<String, f64>,
    /// Ours against the best peer (or the floor), row by row.
    pub ratios: BTreeMap<String, f64>,
}

/// What moves by no more is not told.
const SHARE: f64 = 0.1;

impl Baseline {
    /// All instructions, and what has moved by more than a tenth since `then`.
    pub fn against(&self, then: &Baseline) -> String {
        let mut text = format!("{}, against {}\n\ninstructions\n", self.commit, then.commit);
        for (path, now) in &self.instructions {
            let _ = writeln!(text, "  {path:<14} {now:>10.0}{}", moved(*now, then.instructions.get(path)));
        }
        let _ = writeln!(text, "\nratios that moved by more than 10 %");
        let before = text.len();
        for (row, now) in &self.ratios {
            let change = moved(*now, then.ratios.get(row));
            if !change.is_empty() && !then.ratios.is_empty() {
                let _ = writeln!(text, "  {row:<14} {now:>10.2}{change}");
            }
        }
        if text.len() == before {
            text += if then.ratios.is_empty() { "  the baseline has none\n" } else { "  none\n" };
        }
        text
    }
}

fn moved(now: f64, then: Option<&f64>) -> String {
    match then {
        None => "  new".into(),
        Some(then) if (now / then - 1.0).abs() > SHARE => {
            format!("  {:+.0} %", (now / then - 1.0) * 100.0)
        }
        Some(_) => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_moved_is_told() {
        let of = |get: f64, seek: f64| Baseline {
            commit: "c".into(),
            instructions: [("hot_get".to_string(), get)].into(),
            ratios: [("seek".to_string(), seek)].into(),
        };
        let text = of(105.0, 2.0).against(&of(100.0, 1.0));
        assert!(!text.contains("+5 %") && text.contains("+100 %"), "{text}");
        assert!(of(100.0, 1.0).against(&of(100.0, 1.05)).contains("none"));
        assert!(of(80.0, 1.0).against(&Baseline::default()).contains("new"));
    }
}
