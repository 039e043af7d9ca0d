"""Who somebody is: challenges, sessions, logins, and the proofs that answer them. No sockets."""
