//! Sockets in: accept, serve HTTP/1.1 and HTTP/2 on each connection within its time limits, drain.

mod accept; // bind, accept loop, connection permits
mod clock; // what a connection waits for, and since when
mod sent; // answers on their way out
mod serve; // one connection
mod timed; // a socket that notes what moves
mod tls; // server certificates

pub use accept::{Bound, Terms, bind};
pub use clock::Waits;
pub use tls::Certificates;
