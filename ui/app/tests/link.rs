//! The line to a kioskd that comes and goes.
#![allow(clippy::unwrap_used)] // Helpers of tests.

use std::io::{BufRead, BufReader, Write};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::PathBuf;

use domain::Lang;
use kiosk_ui::fixtures;
use kiosk_ui::link::{Link, News};
use tempfile::TempDir;
use ui_proto::{Action, FromUi, Screen, ToUi};

struct Kioskd {
    dir: TempDir,
    listener: UnixListener,
}

impl Kioskd {
    fn start() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let listener = UnixListener::bind(dir.path().join("ui.sock")).unwrap();
        Self { dir, listener }
    }

    fn socket(&self) -> PathBuf {
        self.dir.path().join("ui.sock")
    }

    fn accept(&self) -> UnixStream {
        self.listener.accept().unwrap().0
    }
}

fn show(line: &mut UnixStream, seq: u64, screen: Screen) {
    let view = fixtures::view(Lang::Ca, screen);
    line.write_all(&ui_proto::encode(&ToUi { seq, view })).unwrap();
}

fn heard(line: &UnixStream) -> FromUi {
    let mut text = Vec::new();
    BufReader::new(line).read_until(b'\n', &mut text).unwrap();
    ui_proto::decode(&text).unwrap()
}

#[test]
fn an_action_names_the_view_it_was_made_on() {
    let kioskd = Kioskd::start();
    let (link, news) = Link::open(kioskd.socket()).unwrap();
    let mut line = kioskd.accept();
    show(&mut line, 41, Screen::PresentCard);
    let News::View(message) = news.recv_blocking().unwrap() else {
        panic!("a view was sent");
    };
    assert_eq!(message.view.screen, Screen::PresentCard);
    link.shown(message.seq);
    // A newer one has come, but nobody has seen it yet.
    show(&mut line, 42, Screen::ReadingCard);
    link.send(Action::Cancel);
    let (seq, action) = (41, Action::Cancel);
    assert!(heard(&line) == FromUi { seq, action });
}

#[test]
fn kioskd_restarts_and_the_line_comes_back() {
    let kioskd = Kioskd::start();
    let (link, news) = Link::open(kioskd.socket()).unwrap();
    let mut line = kioskd.accept();
    show(&mut line, 1, Screen::PresentCard);
    assert!(matches!(news.recv_blocking().unwrap(), News::View(_)));
    drop(line);
    assert!(matches!(news.recv_blocking().unwrap(), News::Lost));
    link.send(Action::Cancel); // Lost with the screen it was made on.
    let mut line = kioskd.accept();
    show(&mut line, 2, Screen::Starting);
    let News::View(message) = news.recv_blocking().unwrap() else {
        panic!("a view was sent");
    };
    link.shown(message.seq);
    link.send(Action::MoreTime);
    assert_eq!(heard(&line).seq, 2);
}

#[test]
fn nonsense_from_kioskd_ends_that_connection_only() {
    let kioskd = Kioskd::start();
    let (_link, news) = Link::open(kioskd.socket()).unwrap();
    for nonsense in [b"{\"seq\":1}\n".as_slice(), b"\xff\xfe\n", &[b' '; 70_000]] {
        let mut line = kioskd.accept();
        // It may hang up before it has read all of it.
        line.write_all(nonsense).ok();
        assert!(matches!(news.recv_blocking().unwrap(), News::Lost));
    }
    let mut line = kioskd.accept();
    show(&mut line, 1, Screen::Starting);
    assert!(matches!(news.recv_blocking().unwrap(), News::View(_)));
}
