//! Steps that want disks which fail when told.

use std::collections::HashSet;

use crate::cases::{FailEach, Fault};
use crate::expect;
use crate::steps::{Failure, Outcome, Run, check, wrong};

/// More rounds than any case needs.
const MAX_ROUNDS: u64 = 5000;

impl Fault {
    fn command(self) -> &'static str {
        match self {
            Fault::Fail => "fail",
            Fault::FailFrom => "fail-from",
            Fault::FailRead => "fail-read",
            Fault::FailReadsFrom => "fail-reads-from",
        }
    }

    /// What asks for the number of calls of its kind.
    fn counter(self) -> &'static str {
        match self {
            Fault::Fail | Fault::FailFrom => "calls",
            Fault::FailRead | Fault::FailReadsFrom => "reads",
        }
    }
}

#[cfg(feature = "faults")]
pub use lightning_db_bindings::faults::command;

#[cfg(not(feature = "faults"))]
pub fn command(_: &str, _: &str) -> lightning_db_bindings::Result<u64> {
    Err(lightning_db_bindings::Error::invalid("a build without faults"))
}

impl Run {
    pub(super) fn fail_each(&mut self, each: &FailEach) -> Outcome {
        let mut failed = 0;
        for round in 0..MAX_ROUNDS {
            let kept: HashSet<_> = self.items.keys().cloned().collect();
            let told = |failure| match failure {
                Failure::Case(told) => wrong(format!("round {round}: {told}")),
                Failure::Engine(error) => wrong(format!("round {round}: {error}")),
            };
            let (fails, met) = self.round(each, round).map_err(told)?;
            self.items.retain(|name, _| kept.contains(name));
            failed += u64::from(fails);
            if !met {
                return match failed >= each.at_least {
                    true => Ok(()),
                    false => Err(wrong(format!("only {failed} of {round} rounds failed"))),
                };
            }
        }
        Err(wrong("a fault in each of very many rounds"))
    }

    /// Whether a step failed, and whether any call did.
    fn round(&mut self, each: &FailEach, round: u64) -> Outcome<(bool, bool)> {
        check(self.steps(&each.before))?;
        let first = command(&each.disk, each.fault.counter())?;
        command(&each.disk, &format!("{} {round} {}", each.fault.command(), each.errno))?;
        let mut fails = false;
        for step in &each.steps {
            match self.do_step(step.on.as_deref().unwrap_or("db"), &step.what) {
                Ok(()) => continue,
                Err(Failure::Engine(error)) if each.errors.contains(error.kind().name()) => {
                    check(expect::kind(&error, error.kind().name()))?;
                    fails = true;
                    break;
                }
                Err(Failure::Engine(error)) => return Err(wrong(format!("step {}: {error}", step.op))),
                Err(Failure::Case(told)) => return Err(wrong(format!("step {}: {told}", step.op))),
            }
        }
        let met = command(&each.disk, each.fault.counter())? > first + round;
        command(&each.disk, "heal")?;
        check(self.steps(&each.after))?;
        Ok((fails, met))
    }
}
