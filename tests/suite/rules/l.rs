//! L: roles and permissions.

mod catalog;
mod permissions;
mod roles;
