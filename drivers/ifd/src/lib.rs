//! A pcsc-lite IFD handler (version 3.0, "serial"): the virtual contactless reader behind the real
//! `pcscd`, so that tests and the workbench go through the real PC/SC stack.
//!
//! pcscd loads it by a `reader.conf` entry with `DEVICENAME /dev/null:/path/to/ifd.sock`. The path
//! after the colon is a Unix socket on which the firmware model of a reader listens (`driver-sim`);
//! what is said there is in `docs/devices/contactless-readers.md`. Reader and pcscd may start in
//! any order, and the reader may go and come back.
//!
//! Here is only what C needs; the work is in `channel`.

#![allow(unsafe_code, reason = "the one crate that is called by C")]
#![deny(unsafe_op_in_unsafe_fn)]

mod channel;

use std::collections::BTreeMap;
use std::ffi::{CStr, c_char, c_int, c_long, c_uchar, c_ulong, c_void};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use channel::{Channel, Failure, Presence, Request};

// The names and types of <ifdhandler.h>.
type Dword = c_ulong;
type ResponseCode = c_long;

const IFD_SUCCESS: ResponseCode = 0;
const IFD_ERROR_TAG: ResponseCode = 600;
const IFD_ERROR_POWER_ACTION: ResponseCode = 608;
const IFD_COMMUNICATION_ERROR: ResponseCode = 612;
const IFD_RESPONSE_TIMEOUT: ResponseCode = 613;
const IFD_NOT_SUPPORTED: ResponseCode = 614;
const IFD_ICC_PRESENT: ResponseCode = 615;
const IFD_ICC_NOT_PRESENT: ResponseCode = 616;
const IFD_ERROR_INSUFFICIENT_BUFFER: ResponseCode = 618;

const TAG_IFD_ATR: Dword = 0x0303;
const TAG_IFD_THREAD_SAFE: Dword = 0x0FAD;
const TAG_IFD_SLOTS_NUMBER: Dword = 0x0FAE;
const TAG_IFD_SIMULTANEOUS_ACCESS: Dword = 0x0FAF;
const TAG_IFD_STOP_POLLING_THREAD: Dword = 0x0FB2;
const TAG_IFD_POLLING_THREAD_WITH_TIMEOUT: Dword = 0x0FB3;

const IFD_POWER_UP: Dword = 500;
const IFD_POWER_DOWN: Dword = 501;
const IFD_RESET: Dword = 502;

/// Readers that one pcscd may have through this library.
const READERS_MAX: u8 = 16;

/// `SCARD_IO_HEADER`: a reader of contactless cards has one protocol and ignores it.
#[repr(C)]
pub struct IoHeader {
    protocol: Dword,
    length: Dword,
}

/// Open readers, by pcscd's logical unit number.
static CHANNELS: Mutex<BTreeMap<Dword, Arc<Channel>>> = Mutex::new(BTreeMap::new());

/// Opens the reader of `DEVICENAME`.
///
/// # Safety
/// `device_name` must be null or a C string.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn IFDHCreateChannelByName(
    lun: Dword,
    device_name: *const c_char,
) -> ResponseCode {
    if device_name.is_null() {
        return IFD_COMMUNICATION_ERROR;
    }
    // SAFETY: not null, and pcscd hands over a C string.
    let name = unsafe { CStr::from_ptr(device_name) };
    let Some((_, path)) = name.to_str().ok().and_then(|name| name.split_once(':')) else {
        return IFD_COMMUNICATION_ERROR;
    };
    match Channel::new(PathBuf::from(path)) {
        Ok(channel) => {
            let mut channels = CHANNELS.lock().unwrap_or_else(PoisonError::into_inner);
            channels.insert(lun, Arc::new(channel));
            IFD_SUCCESS
        }
        Err(_) => IFD_COMMUNICATION_ERROR,
    }
}

/// A reader without a name cannot be ours.
#[unsafe(no_mangle)]
pub extern "C" fn IFDHCreateChannel(_lun: Dword, _channel: Dword) -> ResponseCode {
    IFD_COMMUNICATION_ERROR
}

/// Closes a reader.
#[unsafe(no_mangle)]
pub extern "C" fn IFDHCloseChannel(lun: Dword) -> ResponseCode {
    let mut channels = CHANNELS.lock().unwrap_or_else(PoisonError::into_inner);
    channels.remove(&lun);
    IFD_SUCCESS
}

/// Tells pcscd what the handler can do.
///
/// # Safety
/// `length` must point at the size of the buffer `value`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn IFDHGetCapabilities(
    lun: Dword,
    tag: Dword,
    length: *mut Dword,
    value: *mut c_uchar,
) -> ResponseCode {
    let answer: Vec<u8> = match tag {
        TAG_IFD_ATR => match channel(lun) {
            Some(channel) => channel.atr(),
            None => return IFD_COMMUNICATION_ERROR,
        },
        TAG_IFD_SLOTS_NUMBER | TAG_IFD_THREAD_SAFE => vec![1],
        TAG_IFD_SIMULTANEOUS_ACCESS => vec![READERS_MAX],
        TAG_IFD_POLLING_THREAD_WITH_TIMEOUT => {
            let function: extern "C" fn(Dword, c_int) -> ResponseCode = wait_for_change;
            (function as usize).to_ne_bytes().to_vec()
        }
        TAG_IFD_STOP_POLLING_THREAD => {
            let function: extern "C" fn(Dword) -> ResponseCode = stop_waiting;
            (function as usize).to_ne_bytes().to_vec()
        }
        _ => return IFD_ERROR_TAG,
    };
    // SAFETY: pcscd gives the size of `value` in `length`.
    unsafe { hand_over(&answer, value, length) }
}

/// Nothing to set.
///
/// # Safety
/// Reads no pointer.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn IFDHSetCapabilities(
    _lun: Dword,
    _tag: Dword,
    _length: Dword,
    _value: *const c_uchar,
) -> ResponseCode {
    IFD_NOT_SUPPORTED
}

/// Contactless cards negotiate nothing.
#[unsafe(no_mangle)]
pub extern "C" fn IFDHSetProtocolParameters(
    _lun: Dword,
    _protocol: Dword,
    _flags: c_uchar,
    _pts1: c_uchar,
    _pts2: c_uchar,
    _pts3: c_uchar,
) -> ResponseCode {
    IFD_SUCCESS
}

/// Powers the card up (and hands over its ATR), down, or both.
///
/// # Safety
/// `length` must point at the size of the buffer `atr`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn IFDHPowerICC(
    lun: Dword,
    action: Dword,
    atr: *mut c_uchar,
    length: *mut Dword,
) -> ResponseCode {
    let Some(channel) = channel(lun) else {
        return IFD_COMMUNICATION_ERROR;
    };
    let request = match action {
        IFD_POWER_UP => Request::PowerUp,
        IFD_POWER_DOWN => Request::PowerDown,
        IFD_RESET => Request::Reset,
        _ => return IFD_NOT_SUPPORTED,
    };
    match channel.call(request, &[]) {
        // SAFETY: pcscd gives the size of `atr` in `length`.
        Ok(answer) => unsafe { hand_over(&answer, atr, length) },
        Err(Failure::NoCard) => IFD_ERROR_POWER_ACTION,
        Err(other) => code(other),
    }
}

/// One command APDU, one response APDU.
///
/// # Safety
/// `command` must hold `command_len` bytes, `length` must point at the size of `response`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn IFDHTransmitToICC(
    lun: Dword,
    _send_pci: IoHeader,
    command: *const c_uchar,
    command_len: Dword,
    response: *mut c_uchar,
    length: *mut Dword,
    _receive_pci: *mut IoHeader,
) -> ResponseCode {
    // SAFETY: as the caller promises.
    let command = unsafe { bytes(command, command_len) };
    // SAFETY: as the caller promises.
    unsafe { exchange(lun, Request::Transmit, command, response, length) }
}

/// A command for the reader itself ("escape"), with or without a card.
///
/// # Safety
/// `command` must hold `command_len` bytes, `response` have room for `response_size`, and
/// `returned` be valid.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn IFDHControl(
    lun: Dword,
    control_code: Dword,
    command: *const c_void,
    command_len: Dword,
    response: *mut c_void,
    response_size: Dword,
    returned: *mut Dword,
) -> ResponseCode {
    // SAFETY: as the caller promises.
    let command = unsafe { bytes(command.cast(), command_len) };
    let control_code = u32::try_from(control_code).unwrap_or(u32::MAX);
    let request = [&control_code.to_be_bytes(), command].concat();
    let mut length = response_size;
    // SAFETY: `length` is the size of `response`.
    let code =
        unsafe { exchange(lun, Request::Control, &request, response.cast(), &raw mut length) };
    if !returned.is_null() {
        // SAFETY: not null, and the caller promises that it is valid.
        unsafe { *returned = if code == IFD_SUCCESS { length } else { 0 } };
    }
    code
}

/// Is there a card? As of the last change that `wait_for_change` took.
#[unsafe(no_mangle)]
pub extern "C" fn IFDHICCPresence(lun: Dword) -> ResponseCode {
    match channel(lun).map(|channel| channel.presence()) {
        Some(Presence::Card) => IFD_ICC_PRESENT,
        Some(Presence::Empty) => IFD_ICC_NOT_PRESENT,
        Some(Presence::NoReader) | None => IFD_COMMUNICATION_ERROR,
    }
}

/// pcscd's event thread sleeps in here, so that it hears of a card within a millisecond instead of
/// asking every 400.
extern "C" fn wait_for_change(lun: Dword, timeout_ms: c_int) -> ResponseCode {
    let timeout = Duration::from_millis(u64::try_from(timeout_ms).unwrap_or(0));
    if let Some(channel) = channel(lun) {
        channel.wait_for_change(timeout);
    }
    IFD_SUCCESS
}

extern "C" fn stop_waiting(lun: Dword) -> ResponseCode {
    if let Some(channel) = channel(lun) {
        channel.stop_waiting();
    }
    IFD_SUCCESS
}

fn channel(lun: Dword) -> Option<Arc<Channel>> {
    let channels = CHANNELS.lock().unwrap_or_else(PoisonError::into_inner);
    channels.get(&lun).cloned()
}

/// # Safety
/// `length` must point at the size of the buffer `response`.
unsafe fn exchange(
    lun: Dword,
    request: Request,
    command: &[u8],
    response: *mut c_uchar,
    length: *mut Dword,
) -> ResponseCode {
    let result = match channel(lun) {
        Some(channel) => channel.call(request, command),
        None => Err(Failure::NoReader),
    };
    match result {
        // SAFETY: as the caller promises.
        Ok(answer) => unsafe { hand_over(&answer, response, length) },
        Err(failure) => {
            if !length.is_null() {
                // SAFETY: not null, and the caller promises that it is valid.
                unsafe { *length = 0 };
            }
            code(failure)
        }
    }
}

fn code(failure: Failure) -> ResponseCode {
    match failure {
        // A real reader does not know either why the card fell silent.
        Failure::NoCard | Failure::NoReader => IFD_COMMUNICATION_ERROR,
        Failure::Silence => IFD_RESPONSE_TIMEOUT,
        Failure::NotSupported => IFD_NOT_SUPPORTED,
    }
}

/// Copies into a caller's buffer and says how much, or that it is too small.
///
/// # Safety
/// `length` must be null or point at the size of the buffer `target`.
unsafe fn hand_over(answer: &[u8], target: *mut c_uchar, length: *mut Dword) -> ResponseCode {
    if target.is_null() || length.is_null() {
        return IFD_COMMUNICATION_ERROR;
    }
    // SAFETY: not null, and the caller promises that it is valid.
    let room = usize::try_from(unsafe { *length }).unwrap_or(usize::MAX);
    let Ok(answer_len) = Dword::try_from(answer.len()) else {
        return IFD_ERROR_INSUFFICIENT_BUFFER;
    };
    if answer.len() > room {
        return IFD_ERROR_INSUFFICIENT_BUFFER;
    }
    // SAFETY: `target` has room for `answer` (checked), and a fresh Vec does not overlap it.
    unsafe { target.copy_from_nonoverlapping(answer.as_ptr(), answer.len()) };
    // SAFETY: as above.
    unsafe { *length = answer_len };
    IFD_SUCCESS
}

/// # Safety
/// `start` must be null or hold `len` bytes that stay while the result lives.
unsafe fn bytes<'a>(start: *const c_uchar, len: Dword) -> &'a [u8] {
    match usize::try_from(len) {
        // SAFETY: not null, and the caller promises the length.
        Ok(len) if !start.is_null() => unsafe { std::slice::from_raw_parts(start, len) },
        Ok(_) | Err(_) => &[],
    }
}
