//! sled: the follower and its queries.
