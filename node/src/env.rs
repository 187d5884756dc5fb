//! Node-API with results instead of status codes: values in and out.
#![allow(unsafe_code, reason = "Node-API is a C interface")]

use std::ffi::c_void;
use std::ptr;

use lightning_db_bindings::{Error, ErrorKind};
use napi_sys as sys;

/// A value of JavaScript, alive until the call returns.
pub type Value = sys::napi_value;

/// Why a call throws.
pub enum Failure {
    /// A `LightningDbError`.
    Engine(Error),
    /// A `TypeError` with this sentence.
    Type(&'static str),
    /// An exception that JavaScript has thrown already.
    Pending,
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Failure::Engine(error)
    }
}

/// What a call gives.
pub type Outcome<T = Value> = Result<T, Failure>;

/// Longest string of V8.
const MAX_TEXT_LEN: usize = (1 << 29) - 24;

/// The environment of one JavaScript thread. Used on that thread alone.
#[derive(Clone, Copy)]
pub struct Env(sys::napi_env);

/// A status as a result.
#[inline]
pub fn check(status: sys::napi_status) -> Outcome<()> {
    match status {
        sys::Status::napi_ok => Ok(()),
        sys::Status::napi_pending_exception => Err(Failure::Pending),
        other => {
            Err(Error::new(ErrorKind::Internal, format!("Node-API answered with status {other}")).into())
        }
    }
}

impl Env {
    /// # Safety
    /// `env` is alive and belongs to this thread, for as long as the result is used.
    pub unsafe fn new(env: sys::napi_env) -> Self {
        Env(env)
    }

    /// As Node-API knows it.
    pub fn raw(self) -> sys::napi_env {
        self.0
    }

    /// Calls a function of Node-API that writes its result.
    #[inline]
    fn make(self, call: impl FnOnce(sys::napi_env, *mut Value) -> sys::napi_status) -> Outcome {
        let mut value = ptr::null_mut();
        check(call(self.0, &mut value))?;
        Ok(value)
    }

    /// `undefined`, as what a call returns.
    #[inline]
    pub fn nothing(self) -> Value {
        ptr::null_mut()
    }

    /// `undefined`, as an argument or element.
    pub fn undefined(self) -> Outcome {
        // SAFETY: the environment is alive.
        self.make(|env, out| unsafe { sys::napi_get_undefined(env, out) })
    }

    /// A number.
    #[inline]
    pub fn number(self, value: f64) -> Outcome {
        // SAFETY: the environment is alive.
        self.make(|env, out| unsafe { sys::napi_create_double(env, value, out) })
    }

    /// A small number.
    #[inline]
    pub fn integer(self, value: i32) -> Outcome {
        // SAFETY: the environment is alive.
        self.make(|env, out| unsafe { sys::napi_create_int32(env, value, out) })
    }

    /// A truth value.
    pub fn boolean(self, value: bool) -> Outcome {
        // SAFETY: the environment is alive.
        self.make(|env, out| unsafe { sys::napi_get_boolean(env, value, out) })
    }

    /// A string from UTF-8; what is not UTF-8 is replaced.
    #[inline]
    pub fn text(self, bytes: &[u8]) -> Outcome {
        let (data, len) = (bytes.as_ptr().cast(), bytes.len() as isize);
        if bytes.len() > MAX_TEXT_LEN {
            let message = format!("{len} bytes are too many for a string: ask for a Buffer");
            return Err(Error::invalid(message).into());
        }
        if bytes.is_ascii() {
            // SAFETY: the bytes are alive, and copied.
            return self.make(|env, out| unsafe { sys::napi_create_string_latin1(env, data, len, out) });
        }
        // SAFETY: the bytes are alive, and copied.
        self.make(|env, out| unsafe { sys::napi_create_string_utf8(env, data, len, out) })
    }

    /// A `Buffer` with a copy of the bytes.
    pub fn buffer(self, bytes: &[u8]) -> Outcome {
        let mut data = ptr::null_mut();
        let (from, len) = (bytes.as_ptr().cast(), bytes.len());
        // SAFETY: the bytes are alive, and copied.
        self.make(|env, out| unsafe { sys::napi_create_buffer_copy(env, len, from, &mut data, out) })
    }

    /// An empty object.
    pub fn object(self) -> Outcome {
        // SAFETY: the environment is alive.
        self.make(|env, out| unsafe { sys::napi_create_object(env, out) })
    }

    /// An array of these values.
    pub fn array(self, values: &[Value]) -> Outcome {
        // SAFETY: the environment is alive.
        let array =
            self.make(|env, out| unsafe { sys::napi_create_array_with_length(env, values.len(), out) })?;
        for (index, value) in values.iter().enumerate() {
            self.set_element(array, index as u32, *value)?;
        }
        Ok(array)
    }

    /// Sets an element of an array.
    pub fn set_element(self, array: Value, index: u32, value: Value) -> Outcome<()> {
        // SAFETY: array and value are of this call, or of one around it.
        check(unsafe { sys::napi_set_element(self.0, array, index, value) })
    }

    /// Sets a property.
    pub fn set(self, object: Value, name: &str, value: Value) -> Outcome<()> {
        let name = self.text(name.as_bytes())?;
        // SAFETY: object, name and value are of this call.
        check(unsafe { sys::napi_set_property(self.0, object, name, value) })
    }

    /// Calls a function.
    pub fn call(self, function: Value, arguments: &[Value]) -> Outcome {
        let this = self.undefined()?;
        let (count, arguments) = (arguments.len(), arguments.as_ptr());
        // SAFETY: function and arguments are of this call.
        self.make(|env, out| unsafe { sys::napi_call_function(env, this, function, count, arguments, out) })
    }

    /// What kind of value it is.
    pub fn kind(self, value: Value) -> Outcome<sys::napi_valuetype> {
        let mut kind = 0;
        // SAFETY: the value is of this call.
        check(unsafe { sys::napi_typeof(self.0, value, &mut kind) })?;
        Ok(kind)
    }

    /// Whether it is `undefined` or `null`.
    pub fn is_nothing(self, value: Value) -> Outcome<bool> {
        let kind = self.kind(value)?;
        Ok(kind == sys::ValueType::napi_undefined || kind == sys::ValueType::napi_null)
    }

    /// A number in.
    #[inline]
    pub fn number_of(self, value: Value) -> Outcome<f64> {
        let mut number = 0.0;
        // SAFETY: the value is of this call.
        match unsafe { sys::napi_get_value_double(self.0, value, &mut number) } {
            sys::Status::napi_number_expected => Err(Failure::Type("a number is expected")),
            status => check(status).map(|()| number),
        }
    }

    /// A truth value in.
    pub fn boolean_of(self, value: Value) -> Outcome<bool> {
        let mut truth = false;
        // SAFETY: the value is of this call.
        match unsafe { sys::napi_get_value_bool(self.0, value, &mut truth) } {
            sys::Status::napi_boolean_expected => Err(Failure::Type("true or false is expected")),
            status => check(status).map(|()| truth),
        }
    }

    /// A bigint in; `None` if it is below 0 or above 64 bits.
    pub fn bigint_of(self, value: Value) -> Outcome<Option<u64>> {
        let (mut number, mut lossless) = (0, false);
        // SAFETY: the value is of this call.
        check(unsafe { sys::napi_get_value_bigint_uint64(self.0, value, &mut number, &mut lossless) })?;
        Ok(lossless.then_some(number))
    }

    /// The elements of an array.
    pub fn elements(self, array: Value) -> Outcome<Vec<Value>> {
        let mut count = 0;
        // SAFETY: the value is of this call; one that is no array is refused.
        check(unsafe { sys::napi_get_array_length(self.0, array, &mut count) })?;
        // SAFETY: the array is of this call.
        let element = |index| self.make(|env, out| unsafe { sys::napi_get_element(env, array, index, out) });
        (0..count).map(element).collect()
    }

    /// Where the elements of a typed array are, and their number.
    #[inline]
    pub fn view(
        self,
        value: Value,
        wanted: sys::napi_typedarray_type,
        expected: &'static str,
    ) -> Outcome<(*mut u8, usize)> {
        let (mut kind, mut len, mut data) = (0, 0, ptr::null_mut::<c_void>());
        let (buffer, offset) = (ptr::null_mut(), ptr::null_mut());
        // SAFETY: the value is of this call; one that is no typed array is refused.
        let status = unsafe {
            sys::napi_get_typedarray_info(self.0, value, &mut kind, &mut len, &mut data, buffer, offset)
        };
        match status {
            sys::Status::napi_ok if kind == wanted => Ok((data.cast(), len)),
            sys::Status::napi_pending_exception => Err(Failure::Pending),
            _ => Err(Failure::Type(expected)),
        }
    }

    /// Keeps a value for later calls. It is let go with the environment.
    pub fn keep(self, value: Value) -> Outcome<Kept> {
        let mut kept = ptr::null_mut();
        // SAFETY: the value is of this call.
        check(unsafe { sys::napi_create_reference(self.0, value, 1, &mut kept) })?;
        Ok(Kept(kept))
    }

    /// A kept value.
    pub fn kept(self, kept: &Kept) -> Outcome {
        // SAFETY: the reference is of this environment and has not been deleted.
        self.make(|env, out| unsafe { sys::napi_get_reference_value(env, kept.0, out) })
    }

    /// Lets a kept value go.
    pub fn release(self, kept: Kept) {
        // SAFETY: the reference is of this environment and is used no more.
        unsafe { sys::napi_delete_reference(self.0, kept.0) };
    }

    /// Runs a call whose values are let go behind it.
    pub fn scoped<T>(self, call: impl FnOnce() -> Outcome<T>) -> Outcome<T> {
        let mut scope = ptr::null_mut();
        // SAFETY: scopes of one thread are closed in the order of the calls; none of the call's values leaves it.
        check(unsafe { sys::napi_open_handle_scope(self.0, &mut scope) })?;
        let outcome = call();
        // SAFETY: opened above.
        unsafe { sys::napi_close_handle_scope(self.0, scope) };
        outcome
    }

    /// Throws a value.
    pub fn throw(self, error: Value) {
        // SAFETY: the value is of this call.
        unsafe { sys::napi_throw(self.0, error) };
    }

    /// Throws a `TypeError`.
    pub fn throw_type_error(self, message: &str) {
        let message: Vec<u8> = message.bytes().filter(|&byte| byte != 0).chain([0]).collect();
        // SAFETY: the message ends with a 0.
        unsafe { sys::napi_throw_type_error(self.0, ptr::null(), message.as_ptr().cast()) };
    }

    /// Takes back an exception that nobody is there to catch.
    pub fn forget_exception(self) {
        let mut exception = ptr::null_mut();
        // SAFETY: the environment is alive.
        unsafe { sys::napi_get_and_clear_last_exception(self.0, &mut exception) };
    }
}

/// A value kept beyond its call.
pub struct Kept(sys::napi_ref);

/// The bytes of a typed array; an empty one may have no address.
///
/// # Safety
/// `data` points to `len` bytes that do not move while the result is used.
pub unsafe fn slice<'a>(data: *const u8, len: usize) -> &'a [u8] {
    if len == 0 {
        return &[];
    }
    // SAFETY: as the caller says.
    unsafe { std::slice::from_raw_parts(data, len) }
}
