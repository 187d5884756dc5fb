//! A language: the command that runs its program.

use std::path::Path;
use std::process::Command;
use std::str::FromStr;
use std::time::{Duration, Instant};

use lightning_db_examples::Outcome;

/// Questions and answers, in order.
pub type Answers = Vec<(String, String)>;

/// A language and its program.
#[derive(Clone)]
pub struct Tourist {
    /// The language.
    pub name: String,
    command: Vec<String>,
}

impl FromStr for Tourist {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (name, command) = text.split_once('=').ok_or("not of the form NAME=COMMAND")?;
        let command: Vec<_> = command.split_whitespace().map(str::to_string).collect();
        match name.is_empty() || command.is_empty() {
            true => Err("a name and a command are needed".into()),
            false => Ok(Tourist { name: name.to_string(), command }),
        }
    }
}

impl Tourist {
    /// Loads the lines of `input` into a new database; the time it took.
    pub fn load(&self, database: &Path, input: &Path) -> Outcome<Duration> {
        let start = Instant::now();
        self.run("load", &[database, input])?;
        Ok(start.elapsed())
    }

    /// Takes the tour; its answers and the time it took.
    pub fn tour(&self, database: &Path, work: &Path, locked: &Path) -> Outcome<(Answers, Duration)> {
        std::fs::create_dir_all(work)?;
        let start = Instant::now();
        let text = self.run("tour", &[database, work, locked])?;
        let pair = |line: &str| line.split_once('\t').map(|(a, b)| (a.to_string(), b.to_string()));
        let answers: Option<Answers> = text.lines().map(pair).collect();
        let answers = answers.ok_or_else(|| format!("{}: a line without a tab in {text:?}", self.name))?;
        Ok((answers, start.elapsed()))
    }

    fn run(&self, verb: &str, paths: &[&Path]) -> Outcome<String> {
        let [program, arguments @ ..] = &self.command[..] else { return Err("no command".into()) };
        let mut command = Command::new(program);
        command.args(arguments).arg(verb).args(paths);
        let output = command.output().map_err(|error| format!("{program}: {error}"))?;
        if !output.status.success() {
            let said = String::from_utf8_lossy(&output.stderr);
            return Err(format!("{} {verb}: {}\n{said}", self.name, output.status).into());
        }
        Ok(String::from_utf8(output.stdout)?)
    }
}
