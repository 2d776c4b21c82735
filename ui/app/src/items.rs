//! What a finger or a screen reader can reach, from Slint's own accessibility properties: the same
//! that AccessKit would be given.

use i_slint_core::accessibility::AccessibleStringProperty;
use i_slint_core::item_tree::{ParentItemTraversalMode, ensure_item_tree_instantiated};
use i_slint_core::items::{AccessibleRole, ItemRc};
use i_slint_core::lengths::LogicalPoint;
use i_slint_core::window::WindowInner;
use ui_proto::{Element, Role};

/// Everything with a role, in the order in which Tab would go.
pub fn elements(window: &slint::Window) -> Vec<Element> {
    let inner = WindowInner::from_pub(window);
    let focused = inner.focus_item.borrow().upgrade();
    let mut found = Vec::new();
    walk(window, &mut |item| {
        if let Some(element) = element(item, focused.as_ref()) {
            found.push(element);
        }
    });
    found
}

/// Calls `visit` for every item that may be seen, parents before their children.
pub fn walk(window: &slint::Window, visit: &mut impl FnMut(&ItemRc)) {
    let component = WindowInner::from_pub(window).component();
    // What a change made visible exists only from the next repaint on, or from here on.
    ensure_item_tree_instantiated(&component);
    descend(&ItemRc::new_root(component), visit);
}

/// x, y, width, height of an item in the window.
pub fn rect(item: &ItemRc) -> [f32; 4] {
    let size = item.geometry().size;
    let origin = item.map_to_window(LogicalPoint::default() + item.geometry().origin.to_vector());
    [origin.x, origin.y, size.width, size.height]
}

fn descend(item: &ItemRc, visit: &mut impl FnMut(&ItemRc)) {
    visit(item);
    let mut child = item.first_child();
    while let Some(item) = child {
        descend(&item, visit);
        child = item.next_sibling();
    }
}

#[allow(clippy::wildcard_enum_match_arm)] // Slint's enum, which grows with its releases.
fn element(item: &ItemRc, focused: Option<&ItemRc>) -> Option<Element> {
    let role = match item.accessible_role() {
        AccessibleRole::None => return None,
        AccessibleRole::Button => Role::Button,
        AccessibleRole::Text => Role::Text,
        AccessibleRole::Image => Role::Image,
        _ => Role::Other,
    };
    let text = |property| item.accessible_string_property(property);
    let label = text(AccessibleStringProperty::Label).unwrap_or_default();
    if label.is_empty() && role != Role::Button {
        return None;
    }
    Some(Element {
        role,
        label: label.into(),
        description: text(AccessibleStringProperty::Description).unwrap_or_default().into(),
        enabled: text(AccessibleStringProperty::Enabled).is_none_or(|enabled| enabled == "true"),
        focused: focused.is_some_and(|focused| is_inside(focused, item)),
        rect: rect(item),
    })
}

/// The focus is on the scope inside a button, not on the button.
fn is_inside(inner: &ItemRc, outer: &ItemRc) -> bool {
    if outer.accessible_role() != AccessibleRole::Button {
        return inner == outer;
    }
    let mut item = Some(inner.clone());
    while let Some(current) = item {
        if current == *outer {
            return true;
        }
        item = current.parent_item(ParentItemTraversalMode::StopAtPopups);
    }
    false
}
