//! What fails, one file for each, on the real programs. Every file says at its top what the
//! customer sees, what is printed and what the books say, and asserts all three. The failures that
//! change the way of a recharge itself are in `../recharge`; docs/testing.md has the whole list.

mod ack_lost;
mod card_removed_mid_session;
mod cash_box_pulled_while_stacking;
mod central_down_after_the_post;
mod central_down_during_the_post;
mod clock_jump;
mod duplicate_post;
mod note_jammed_after_escrow;
mod note_jammed_before_escrow;
mod pcscd_restarted;
mod printer_cover_open;
mod screen_killed;
mod stacked_at_power_up;
mod stacked_at_power_up_without_value;
mod two_cards_at_once;
mod validator_on_another_port;
