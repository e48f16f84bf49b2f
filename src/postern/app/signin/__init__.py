"""Signing in: who somebody is, and that it is they.

1. Whatever could be tried again and again is counted before it is looked at, so that many tries at
   once are no more than as many one after the other.
2. A name that nobody has costs the same work and gets the same answer as one that somebody has.
3. The store has nothing to sign in with: hashes of passwords, sealed secrets of codes, public keys,
   and the SHA-256 of what is random.
4. What signs somebody in counts once: a code, a passkey's answer, a code of setting up.
5. Nobody is locked out for good, and nobody gets back in without the terminal or somebody who may
   give them a code.
"""
