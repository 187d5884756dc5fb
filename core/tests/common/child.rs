//! Another process: a test of the same binary, that goes on until it is killed.

use std::ffi::OsStr;
use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

/// A process that ends with its test, also with one that fails: it would write on in a folder that is being removed.
pub struct Child(std::process::Child);

impl Child {
    /// Runs the test `name` of this binary, with a variable that tells it that it is a child.
    pub fn of_this_test(name: &str, variable: &str, value: impl AsRef<OsStr>) -> Self {
        let mut command = Command::new(std::env::current_exe().unwrap());
        let command = command.args(["--exact", name, "--nocapture"]).env(variable, value);
        Child(command.stdout(Stdio::piped()).spawn().unwrap())
    }

    /// What it prints, to the end.
    pub fn lines(&mut self) -> impl Iterator<Item = String> + Send + use<> {
        BufReader::new(self.0.stdout.take().unwrap()).lines().map_while(Result::ok)
    }

    /// Whether it has not ended.
    pub fn runs(&mut self) -> bool {
        self.0.try_wait().unwrap().is_none()
    }

    /// Kills it, and waits until it is gone.
    pub fn kill(&mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
