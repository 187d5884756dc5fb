//! The answers of all languages, side by side.

use lightning_db_examples::Outcome;

use crate::Answers;

/// Widest answer that is printed whole.
const WIDTH: usize = 26;

/// For each language, its answers; they must not depend on who loaded the database.
#[derive(Default)]
pub struct Matrix {
    columns: Vec<(String, Answers)>,
}

impl Matrix {
    /// An empty table.
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes the answers of a tour through the database that `loader` has written. Errors: one of them is not
    /// that of the first tour.
    pub fn add(&mut self, tourist: &str, loader: &str, answers: Answers) -> Outcome {
        if let Some((first, expected)) = self.columns.first() {
            for index in 0..expected.len().max(answers.len()) {
                let (expected, found) = (expected.get(index), answers.get(index));
                if expected != found {
                    return Err(format!(
                        "{tourist}, in the database loaded by {loader}, says {found:?} where {first} says {expected:?}"
                    )
                    .into());
                }
            }
        }
        if !self.columns.iter().any(|(name, _)| name == tourist) {
            self.columns.push((tourist.to_string(), answers));
        }
        Ok(())
    }

    /// Prints a row for each question.
    pub fn print(&self) {
        let Some((_, questions)) = self.columns.first() else { return };
        print!("\n{:<34}", "question");
        for (name, _) in &self.columns {
            print!(" {name:<WIDTH$}");
        }
        println!();
        for (index, (question, _)) in questions.iter().enumerate() {
            print!("{question:<34}");
            for (_, answers) in &self.columns {
                print!(" {:<WIDTH$}", answers.get(index).map_or("", |(_, answer)| shortened(answer)));
            }
            println!();
        }
    }
}

/// The start of a long answer, cut between characters.
fn shortened(answer: &str) -> &str {
    answer.char_indices().nth(WIDTH).map_or(answer, |(end, _)| &answer[..end])
}

#[test]
fn an_answer_that_differs_is_told() {
    let answers =
        |second: &str| vec![("one".to_string(), "1".to_string()), ("two".to_string(), second.to_string())];
    let mut matrix = Matrix::new();
    matrix.add("Rust", "Rust", answers("2")).unwrap();
    matrix.add("Python", "Rust", answers("2")).unwrap();
    let error = matrix.add("Node", "Rust", answers("3")).unwrap_err().to_string();
    assert!(error.contains("Node") && error.contains("\"3\""), "{error}");
    assert!(matrix.add("C", "Rust", answers("2")[..1].to_vec()).is_err());
}
