//! What the examples share: a data set, a folder to work in, random numbers from a seed, a child process to kill, and text.

pub mod cities;
mod folder;
mod random;
mod text;
mod victim;

pub use folder::WorkFolder;
pub use random::Random;
pub use text::thousands;
pub use victim::{Said, Victim, say};

/// Result of a program: any error ends it.
pub type Outcome<T = ()> = Result<T, Box<dyn std::error::Error + Send + Sync>>;
