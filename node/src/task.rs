//! Long work that tells how far it has got, and can be stopped.

use std::rc::Rc;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::context::Context;
use crate::delivery::{Delivery, Step};
use crate::env::{Env, Outcome, Value};
use crate::function::define as define_function;

/// A step is not told earlier than this behind the one before.
const PAUSE: Duration = Duration::from_millis(50);
/// The answer to a step is waited for no longer: who should give it may wait for this work itself.
const PATIENCE: Duration = Duration::from_secs(1);

/// Work on another thread.
pub struct Task {
    delivery: Arc<Delivery>,
    /// Where its steps are told, if anybody asks for them.
    ticket: Option<f64>,
    state: Mutex<State>,
    answered: Condvar,
}

#[derive(Default)]
struct State {
    is_stopped: bool,
    /// A step has been told and not been answered.
    is_asking: bool,
    told: Option<Instant>,
}

impl Task {
    /// Of a thread that is told of its steps by a ticket.
    pub fn new(env: Env, context: &Context, ticket: Value) -> Outcome<Arc<Task>> {
        let ticket = if env.is_nothing(ticket)? { None } else { Some(env.number_of(ticket)?) };
        let delivery = Arc::clone(&context.delivery);
        Ok(Arc::new(Task { delivery, ticket, state: Mutex::default(), answered: Condvar::new() }))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Asks the work to end.
    pub fn stop(&self) {
        self.answer(true);
    }

    /// The answer to a step.
    pub fn answer(&self, stops: bool) {
        let mut state = self.state();
        state.is_asking = false;
        state.is_stopped |= stops;
        self.answered.notify_all();
    }

    /// Tells how far the work has got, `done` of `total`, and whether it goes on.
    pub fn goes_on(self: &Arc<Self>, done: u64, total: u64, figures: &[(&'static str, u64)]) -> bool {
        let mut state = self.state();
        let is_late = state.told.is_none_or(|told| told.elapsed() >= PAUSE) || done == total;
        let Some(ticket) = self.ticket.filter(|_| is_late && !state.is_asking && !state.is_stopped) else {
            return !state.is_stopped;
        };
        state.is_asking = true;
        state.told = Some(Instant::now());
        drop(state);
        let figures = figures.to_vec();
        self.delivery.send_step(Step {
            ticket,
            figures: Box::new(move |context| {
                let object = context.env.object()?;
                for (name, figure) in figures {
                    context.env.set(object, name, context.env.number(figure as f64)?)?;
                }
                Ok(object)
            }),
            task: Arc::clone(self),
        });
        let waits = |state: &mut State| state.is_asking && !state.is_stopped;
        let state = self.answered.wait_timeout_while(self.state(), PATIENCE, waits);
        !state.unwrap_or_else(PoisonError::into_inner).0.is_stopped
    }

    /// The object that JavaScript has of it: `stop()`.
    pub fn expose(self: Arc<Self>, env: Env) -> Outcome {
        let object = env.object()?;
        define_function(env, object, "stop", &Rc::new(self), |task, env, []| {
            task.stop();
            Ok(env.nothing())
        })?;
        Ok(object)
    }
}
