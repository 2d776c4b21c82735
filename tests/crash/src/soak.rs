use std::sync::atomic::{AtomicBool, Ordering};

use e2e::{Bench, Money};

use crate::Dice;
use crate::customer::Customer;
use crate::kill::Kill;

/// Kills kioskd so many times; after each, all books are compared with what the customer knows.
///
/// # Panics
/// A cent is missing, or the kiosk does not come back.
pub fn soak(seed: u64, kills: u32, mut say: impl FnMut(&str)) {
    say(&format!("seed {seed}, {kills} kills"));
    let mut dice = Dice::new(seed);
    let (mut rounds, mut done) = (0, 0);
    while done < kills {
        let bench = Bench::start();
        let mut customer = Customer::new(&bench, Dice::new(dice.throw(u64::MAX)));
        while done < kills && customer.can_come() {
            let kill = Kill::draw(rounds, &mut dice);
            // Before it happens: a run that ends here says where.
            say(&format!("{done}: {kill}"));
            let killed = visit(&bench, &mut customer, kill);
            // A point that was not come to is the next one's.
            rounds += killed.min(1);
            done += killed;
            customer.leave();
            assert_whole(&bench, &customer);
        }
    }
    say(&format!("{done} kills in {rounds} visits of seed {seed}, and not one cent lost"));
}

/// The customer goes on until death comes. How many times it came.
fn visit(bench: &Bench, customer: &mut Customer, kill: Kill) -> u32 {
    let (is_over, nobody_comes) = (AtomicBool::new(false), AtomicBool::new(false));
    std::thread::scope(|scope| {
        let death = scope.spawn(|| {
            // Also when it panics, or the customer would wait for it for ever.
            let _over = OnDrop(&is_over);
            kill.strike(bench, &nobody_comes)
        });
        // And the other way round.
        let gone = OnDrop(&nobody_comes);
        while !is_over.load(Ordering::Relaxed) && customer.can_come() {
            customer.act();
        }
        drop(gone);
        death.join().expect("it says itself what went wrong")
    })
}

/// Every note that went in is in the cash box and on a wallet, or came back; and what bank cards
/// were charged is on wallets, too.
fn assert_whole(bench: &Bench, customer: &Customer) {
    let money = bench.audited_money();
    let boxed = customer.inserted - customer.returned;
    let charged = money.charged;
    let credited = boxed + charged;
    assert_eq!(money, Money { boxed, charged, credited, ..Money::default() });
}

struct OnDrop<'a>(&'a AtomicBool);

impl Drop for OnDrop<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}
