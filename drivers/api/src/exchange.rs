//! Devices that answer requests, over HTTP, instead of speaking on a line.
//!
//! A request, and what came of it, travel as frames of a [`Protocol`]: the loop that drives serial
//! devices drives these too, and so do the simulators. At the other end of the "line" is whoever
//! makes the connections, several at a time; a request is sent at most once.
//!
//! [`Protocol`]: crate::Protocol

use std::time::Duration;

/// For the device: to be sent once, on a connection of its own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// Names it in the [`Reply`].
    pub exchange: u32,
    /// How long its answer may take; in whole milliseconds, up to seven weeks.
    pub patience: Duration,
    /// What to send.
    pub body: Vec<u8>,
}

/// What came of a [`Request`]: one for each, unless the line goes down first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply {
    /// Of the request.
    pub exchange: u32,
    /// The answer's body, or why there is none.
    pub outcome: Result<Vec<u8>, NoAnswer>,
}

/// Why a request has no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoAnswer {
    /// No connection: not one byte of it has left.
    NotSent,
    /// It may have been received, and acted upon.
    Lost,
}

/// Longest body, in bytes.
pub const BODY_MAX: usize = 1024 * 1024;

impl Request {
    /// As a frame.
    pub fn encode(&self) -> Vec<u8> {
        let patience = u32::try_from(self.patience.as_millis()).unwrap_or(u32::MAX);
        frame(self.exchange, patience, &self.body)
    }

    /// Takes the first off `received`, once it is whole.
    pub fn decode(received: &mut Vec<u8>) -> Option<Self> {
        let (exchange, patience, body) = take(received)?;
        Some(Self { exchange, patience: Duration::from_millis(patience.into()), body })
    }
}

impl Reply {
    /// As a frame.
    pub fn encode(&self) -> Vec<u8> {
        match &self.outcome {
            Ok(body) => frame(self.exchange, ANSWERED, body),
            Err(NoAnswer::NotSent) => frame(self.exchange, NOT_SENT, &[]),
            Err(NoAnswer::Lost) => frame(self.exchange, LOST, &[]),
        }
    }

    /// Takes the first off `received`, once it is whole.
    pub fn decode(received: &mut Vec<u8>) -> Option<Self> {
        let (exchange, kind, body) = take(received)?;
        let outcome = match kind {
            ANSWERED => Ok(body),
            NOT_SENT => Err(NoAnswer::NotSent),
            _ => Err(NoAnswer::Lost),
        };
        Some(Self { exchange, outcome })
    }
}

const ANSWERED: u32 = 0;
const NOT_SENT: u32 = 1;
const LOST: u32 = 2;

/// Two numbers and a length, big-endian, and the body.
fn frame(exchange: u32, second: u32, body: &[u8]) -> Vec<u8> {
    assert!(body.len() <= BODY_MAX, "whoever receives it has compared");
    let length = u32::try_from(body.len()).expect("just compared");
    let head = [exchange, second, length].map(u32::to_be_bytes).concat();
    [&head, body].concat()
}

fn take(received: &mut Vec<u8>) -> Option<(u32, u32, Vec<u8>)> {
    let number = |at: usize| {
        let bytes = received.get(at..at + 4)?;
        Some(u32::from_be_bytes(bytes.try_into().ok()?))
    };
    let (exchange, second, length) = (number(0)?, number(4)?, number(8)?);
    let length = usize::try_from(length).unwrap_or(usize::MAX);
    if length > BODY_MAX {
        // No frame of ours: nothing behind it can be told apart.
        received.clear();
        return None;
    }
    let body = received.get(HEAD..HEAD + length)?.to_vec();
    received.drain(..HEAD + length);
    Some((exchange, second, body))
}

const HEAD: usize = 12;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_arrive_whole_however_they_were_split() {
        let request =
            Request { exchange: 7, patience: Duration::from_millis(1500), body: b"{}".to_vec() };
        let replies = [
            Reply { exchange: 7, outcome: Ok(b"{}".to_vec()) },
            Reply { exchange: 8, outcome: Err(NoAnswer::NotSent) },
            Reply { exchange: 9, outcome: Err(NoAnswer::Lost) },
        ];
        assert_eq!(Request::decode(&mut request.encode()), Some(request));

        let bytes: Vec<u8> = replies.iter().flat_map(Reply::encode).collect();
        let mut received = Vec::new();
        let mut heard = Vec::new();
        for byte in bytes {
            received.push(byte);
            heard.extend(Reply::decode(&mut received));
        }
        assert_eq!(heard, replies);
    }

    #[test]
    fn what_is_no_frame_is_dropped() {
        let mut received = vec![0xFF; 100];
        assert_eq!(Reply::decode(&mut received), None);
        assert!(received.is_empty());
    }
}
