"""The Handle protocol without input or output: data model, messages and how they travel.

Usable on its own by any Handle client or server: `decode_message` and `encode_message` are the way in.
Sources: RFC 3650 to 3652, and what the implementations in the field do.
"""
