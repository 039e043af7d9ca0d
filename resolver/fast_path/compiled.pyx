# cython: language_level=3, boundscheck=False, wraparound=False, cdivision=True, initializedcheck=False
"""The compiled twin of `records.py` and `short_way.py`: records by key, and plain questions answered from them.

Nothing of Python is touched for a datagram that is answered here: one call takes up to 64 of them from the socket,
finds their records in a table of octets, and hands the answers back to the kernel. What is no plain question, or asks
for a record that is not in the table, is returned as it came.
"""

from libc.errno cimport EAGAIN, EINTR, EINVAL, EIO, EMSGSIZE, ENOBUFS, ENOPROTOOPT, errno
from libc.stdint cimport int64_t, uint8_t, uint16_t, uint32_t, uint64_t
from libc.stdlib cimport calloc, free, malloc, realloc
from libc.string cimport memcmp, memcpy, memset
from cpython.bytes cimport PyBytes_FromStringAndSize

import socket

from handle_protocol.flags import EnvelopeFlag, OpFlag
from handle_protocol.limits import DATAGRAM_OCTETS_MAX, EXPIRATION_SECONDS, RECURSION_COUNT_MAX

cdef extern from *:
    """
    #if PY_VERSION_HEX >= 0x030E0000
    #define idnode_hash Py_HashBuffer
    #else
    #define idnode_hash _Py_HashBytes
    #endif
    #include <sys/socket.h>
    #include <netinet/in.h>
    #ifndef UDP_SEGMENT
    #define UDP_SEGMENT 103
    #endif
    static inline uint16_t idnode_get16(const uint8_t *p) { return (uint16_t)(p[0] << 8 | p[1]); }
    static inline uint32_t idnode_get32(const uint8_t *p) {
        uint32_t v; memcpy(&v, p, 4); return __builtin_bswap32(v);
    }
    static inline void idnode_put32(uint8_t *p, uint32_t v) { v = __builtin_bswap32(v); memcpy(p, &v, 4); }
    static inline void idnode_segment(struct msghdr *h, char *room, uint16_t octets) {
        struct cmsghdr *c;
        memset(room, 0, CMSG_SPACE(sizeof octets));
        h->msg_control = room;
        h->msg_controllen = CMSG_SPACE(sizeof octets);
        c = CMSG_FIRSTHDR(h);
        c->cmsg_level = IPPROTO_UDP;
        c->cmsg_type = UDP_SEGMENT;
        c->cmsg_len = CMSG_LEN(sizeof octets);
        memcpy(CMSG_DATA(c), &octets, sizeof octets);
    }
    """
    Py_hash_t hash_octets "idnode_hash"(const void *octets, Py_ssize_t count) nogil
    uint16_t get16 "idnode_get16"(const uint8_t *octets) nogil
    uint32_t get32 "idnode_get32"(const uint8_t *octets) nogil
    void put32 "idnode_put32"(uint8_t *octets, uint32_t number) nogil
    void prefetch "__builtin_prefetch"(const void *address) nogil
    void segment "idnode_segment"(msghdr *head, char *room, uint16_t octets) nogil

    ctypedef unsigned int socklen_t
    struct iovec:
        void *iov_base
        size_t iov_len
    struct sockaddr:
        unsigned short sa_family
    struct sockaddr_storage:
        unsigned short ss_family
    struct msghdr:
        void *msg_name
        socklen_t msg_namelen
        iovec *msg_iov
        size_t msg_iovlen
        void *msg_control
        size_t msg_controllen
        int msg_flags
    struct mmsghdr:
        msghdr msg_hdr
        unsigned int msg_len
    int recvmmsg(int fd, mmsghdr *messages, unsigned int count, int flags, void *timeout) nogil
    int sendmmsg(int fd, mmsghdr *messages, unsigned int count, int flags) nogil
    int MSG_DONTWAIT
    int AF_INET


# ---------------------------------------------------------------------------------------------- records by key

cdef enum:
    SLOT_OCTETS = 12  # A tag and a pointer.
    TYPICAL_OCTETS = 160  # The table has as many slots as there could be records of this size.
    SECOND_CHANCES_MAX = 32  # Records passed over in one eviction: more would be a pause.
    PREFETCHED_LINES = 5  # 320 octets: a usual record.

cdef struct Record:
    uint64_t hash
    int64_t expires_at
    int64_t revision
    uint32_t public_octets
    uint32_t value_octets  # 0 where all values are public.
    uint32_t size
    uint16_t key_octets
    uint8_t was_used
    # Key, public values and all values follow.

cdef inline const uint8_t *key_of(const Record *record) noexcept nogil:
    return <const uint8_t *>(record + 1)

cdef inline const uint8_t *public_of(const Record *record) noexcept nogil:
    return key_of(record) + record.key_octets


cdef class RecordTable:
    """Records by key, bounded in octets; those that nobody asked for lately go first (CLOCK).

    Attributes:
        evictions: how many records had to go for others.
    """

    cdef Record **_records
    cdef uint32_t *_tags
    cdef size_t _mask, _count, _count_max, _octets, _octets_max, _hand
    cdef readonly uint64_t evictions

    def __cinit__(self, size_t octets_max):
        cdef size_t slots = 1024
        while slots * TYPICAL_OCTETS < octets_max:
            slots *= 2
        self._mask = slots - 1
        self._count_max = slots // 4 * 3
        self._octets = slots * SLOT_OCTETS
        self._octets_max = max(octets_max, self._octets + 1)
        self._records = <Record **>calloc(slots, sizeof(Record *))
        self._tags = <uint32_t *>calloc(slots, sizeof(uint32_t))
        if self._records is NULL or self._tags is NULL:
            raise MemoryError

    def __dealloc__(self):
        if self._records is not NULL:
            self._free_all()
        free(self._records)
        free(self._tags)

    def __len__(self):
        return self._count

    @property
    def octets(self):
        """The memory that is taken."""
        return self._octets

    def put(self, bytes key not None, int64_t expires_at, bytes public_list not None, bytes value_list not None, int64_t revision):
        """Keep a record in the place of what was there."""
        cdef bint is_shared = public_list is value_list
        cdef size_t key_octets = len(key), public_octets = len(public_list)
        cdef size_t value_octets = 0 if is_shared else len(value_list)
        cdef size_t size = sizeof(Record) + key_octets + public_octets + value_octets
        self._drop(<const uint8_t *><char *>key, key_octets)
        if key_octets > 0xFFFF or size > self._octets_max // 8:
            return
        cdef Record *record = <Record *>malloc(size)
        if record is NULL:
            raise MemoryError
        cdef uint8_t *content = <uint8_t *>(record + 1)
        memcpy(content, <char *>key, key_octets)
        memcpy(content + key_octets, <char *>public_list, public_octets)
        if not is_shared:
            memcpy(content + key_octets + public_octets, <char *>value_list, value_octets)
        record.hash = <uint64_t>hash_octets(content, key_octets)
        record.expires_at = expires_at
        record.revision = revision
        record.public_octets = public_octets
        record.value_octets = value_octets
        record.size = size
        record.key_octets = key_octets
        record.was_used = 0
        self._octets += size
        self._make_room()
        self._insert(record)

    def get(self, bytes key not None):
        """Return expiry, public values, all values and revision of a record, or None."""
        cdef const uint8_t *octets = <const uint8_t *><char *>key
        cdef Record *record = self._find(octets, len(key), <uint64_t>hash_octets(octets, len(key)))
        if record is NULL:
            return None
        cdef const uint8_t *content = public_of(record)
        cdef bytes public_list = (<const char *>content)[:record.public_octets]
        cdef bytes value_list = public_list
        if record.value_octets:
            value_list = (<const char *>content + record.public_octets)[:record.value_octets]
        return record.expires_at, public_list, value_list, record.revision

    def pop(self, bytes key not None):
        """Forget a record; tell whether it was there."""
        return self._drop(<const uint8_t *><char *>key, len(key))

    def clear(self):
        """Forget everything."""
        self._free_all()

    cdef Record *_find(self, const uint8_t *key, size_t octets, uint64_t hash) noexcept nogil:
        cdef size_t slot = self._slot_of(key, octets, hash)
        if self._tags[slot] == 0:
            return NULL
        cdef Record *record = self._records[slot]
        if not record.was_used:
            record.was_used = 1
        return record

    cdef void _expect(self, uint64_t hash) noexcept nogil:
        """Let the processor fetch the place where a key would be."""
        prefetch(&self._tags[hash & self._mask])
        prefetch(&self._records[hash & self._mask])

    cdef void _expect_record(self, uint64_t hash) noexcept nogil:
        """Let it fetch the record that is probably there, once its place has come."""
        cdef size_t slot = hash & self._mask
        cdef int line
        if self._tags[slot] != 0:
            for line in range(PREFETCHED_LINES):
                prefetch(<const char *>self._records[slot] + 64 * line)

    cdef size_t _slot_of(self, const uint8_t *key, size_t octets, uint64_t hash) noexcept nogil:
        """Return where a key is, or the free slot where it would be."""
        cdef uint32_t tag = <uint32_t>(hash >> 32) | 1
        cdef size_t slot = hash & self._mask
        cdef Record *record
        while self._tags[slot] != 0:
            if self._tags[slot] == tag:
                record = self._records[slot]
                if record.hash == hash and record.key_octets == octets and memcmp(key_of(record), key, octets) == 0:
                    return slot
            slot = (slot + 1) & self._mask
        return slot

    cdef void _insert(self, Record *record) noexcept nogil:
        cdef size_t slot = self._slot_of(key_of(record), record.key_octets, record.hash)
        self._tags[slot] = <uint32_t>(record.hash >> 32) | 1
        self._records[slot] = record
        self._count += 1

    cdef bint _drop(self, const uint8_t *key, size_t octets) noexcept nogil:
        cdef size_t slot = self._slot_of(key, octets, <uint64_t>hash_octets(key, octets))
        if self._tags[slot] == 0:
            return False
        self._remove(slot)
        return True

    cdef void _remove(self, size_t slot) noexcept nogil:
        """Empty a slot, and move up what had to make way for it (Knuth, TAOCP 6.4, algorithm R)."""
        cdef Record *record = self._records[slot]
        cdef size_t following = slot, home
        self._octets -= record.size
        self._count -= 1
        free(record)
        while True:
            following = (following + 1) & self._mask
            if self._tags[following] == 0:
                break
            home = self._records[following].hash & self._mask
            if ((following - home) & self._mask) >= ((following - slot) & self._mask):
                self._tags[slot] = self._tags[following]
                self._records[slot] = self._records[following]
                slot = following
        self._tags[slot] = 0
        self._records[slot] = NULL

    cdef void _make_room(self) noexcept nogil:
        """Evict what was not used since the hand came by, until one more record has its place."""
        cdef int chances = SECOND_CHANCES_MAX
        while self._count and (self._octets > self._octets_max or self._count >= self._count_max):
            if self._tags[self._hand] != 0:
                if chances and self._records[self._hand].was_used:
                    self._records[self._hand].was_used = 0
                    chances -= 1
                else:
                    self._remove(self._hand)
                    self.evictions += 1
                    continue  # Another record may have moved up.
            self._hand = (self._hand + 1) & self._mask

    cdef void _free_all(self) noexcept nogil:
        cdef size_t slot
        for slot in range(self._mask + 1):
            if self._tags[slot] != 0:
                self._octets -= self._records[slot].size
                free(self._records[slot])
                self._records[slot] = NULL
                self._tags[slot] = 0
        self._count = 0


# ------------------------------------------------------------------------------------------- plain questions

cdef enum:
    BATCH = 64
    DATAGRAM = 512
    READ_OCTETS = DATAGRAM + 1
    FRAME = 48  # Everything before the handle.
    ENDING = 12  # No indexes, no types, no credential.
    ADDRESS_OCTETS = 28  # sockaddr_in6
    SEGMENTS_MAX = 60
    SEGMENTED_OCTETS_MAX = 60_000
    SEGMENT_ROOM = 64
    NOT_PLAIN = 0
    MISSING = -1
    STREAM_ROOM = 16_384
    STREAM_OCTETS_MAX = 262_144
    ENVELOPE = 20

# handle_protocol.flags, as plain numbers.
cdef uint32_t SPECIAL_OPERATION, PUBLIC_ONLY, AUTHORITATIVE
cdef uint8_t SPECIAL_ENVELOPE

assert DATAGRAM == DATAGRAM_OCTETS_MAX, "arrays have the length of the longest datagram"
SPECIAL_OPERATION = 0xFFFF_FFFF & ~int(
    OpFlag.RECURSIVE | OpFlag.CACHE_CERTIFY | OpFlag.KEEP_ALIVE | OpFlag.PUBLIC_ONLY | OpFlag.DO_NOT_REFER
)
PUBLIC_ONLY = int(OpFlag.PUBLIC_ONLY)
AUTHORITATIVE = int(OpFlag.AUTHORITATIVE)
SPECIAL_ENVELOPE = int(EnvelopeFlag.COMPRESSED | EnvelopeFlag.ENCRYPTED | EnvelopeFlag.TRUNCATED)
cdef uint8_t RECURSIONS = RECURSION_COUNT_MAX
cdef uint32_t EXPIRATION = EXPIRATION_SECONDS


cdef struct Asked:
    const uint8_t *handle
    uint32_t handle_octets
    uint32_t op_flags
    uint64_t hash
    uint8_t minor
    bint is_plain


cdef class ShortWay:
    """Answers plain questions from remembered records; see `short_way.py` for what is plain, and for arguments.

    Attributes:
        hits: how many questions were answered since somebody set it to zero.
        not_sent: how many answers the kernel did not take, likewise.
        can_segment: whether several answers may leave as one message; off for good once the kernel refuses.
    """

    cdef RecordTable _table
    cdef object _prefixes  # Keeps alive what the next three point into.
    cdef const uint8_t **_prefix_octets
    cdef uint64_t *_prefix_hashes
    cdef uint16_t *_prefix_lengths
    cdef size_t _prefix_mask
    cdef double _now, _trusted_until
    cdef uint32_t _expires_at
    cdef public bint can_segment
    cdef public uint64_t hits, not_sent

    # One batch of datagrams.
    cdef Asked _asked[BATCH]
    cdef mmsghdr _received[BATCH]
    cdef mmsghdr _sending[BATCH]
    cdef iovec _received_into[BATCH]
    cdef iovec _sent_from[BATCH]
    cdef uint8_t _questions[BATCH][READ_OCTETS]
    cdef uint8_t _answers[BATCH][DATAGRAM]
    cdef uint8_t _peers[BATCH][ADDRESS_OCTETS]
    cdef char _segments[BATCH][SEGMENT_ROOM]

    def __cinit__(self, RecordTable table not None):
        self._table = table
        self.can_segment = True
        self._set_prefixes(frozenset())

    def __dealloc__(self):
        self._free_prefixes()

    def answer(self, bytes request not None, prefixes, double now, double unix_now, double trusted_until):
        """Return the answer to one whole request; empty = just its record is missing, None = it takes the long way."""
        cdef const uint8_t *question = <const uint8_t *><char *>request
        cdef Asked asked
        cdef Py_ssize_t size
        cdef bytes answer
        self._begin(prefixes, now, unix_now, trusted_until)
        if not self._read(question, len(request), &asked):
            return None
        size = self._write(question, &asked, NULL, 0)
        if size == MISSING:
            return b""
        if size == NOT_PLAIN:
            return None
        answer = PyBytes_FromStringAndSize(NULL, -size)
        self._write(question, &asked, <uint8_t *><char *>answer, -size)
        self.hits += 1
        return answer

    def answer_stream(self, bytes octets not None, prefixes, double now, double unix_now, double trusted_until):
        """Answer the plain questions that stand first in what a connection brought.

        Returns:
            The answers together, and how many of `octets` they answer.
        """
        cdef const uint8_t *start = <const uint8_t *><char *>octets
        cdef size_t at = 0, left = len(octets), size, written = 0, room = STREAM_ROOM
        cdef Py_ssize_t needed
        cdef Asked asked
        cdef uint8_t *answers
        self._begin(prefixes, now, unix_now, trusted_until)
        if left < FRAME or not self._read_first(start, left, &asked, &size):
            return b"", 0
        answers = <uint8_t *>malloc(room)
        if answers is NULL:
            raise MemoryError
        try:
            while written < STREAM_OCTETS_MAX and self._read_first(start + at, left - at, &asked, &size):
                needed = self._write(start + at, &asked, answers + written, room - written)
                if needed < MISSING:
                    room = 2 * room - needed
                    answers = <uint8_t *>resized(answers, room)
                    continue
                if needed <= 0:
                    break
                written += needed
                at += size
                self.hits += 1
            return (<char *>answers)[:written], at
        finally:
            free(answers)

    def serve_datagrams(self, listener, prefixes, double now, double unix_now, double trusted_until):
        """Take what has come, up to 64 datagrams, and answer what is plain; return the others."""
        cdef int fd = listener.fileno()
        cdef int came, number, answered = 0
        cdef Py_ssize_t size
        cdef list left = []
        self._begin(prefixes, now, unix_now, trusted_until)
        with nogil:
            came = self._receive(fd)
            self._foresee(came)
        for number in range(came):
            size = NOT_PLAIN
            if self._asked[number].is_plain:
                size = self._write(self._questions[number], &self._asked[number], self._answers[answered], DATAGRAM)
            if size <= 0:
                left.append((
                    (<const char *>self._questions[number])[:self._received[number].msg_len],
                    address_of(self._peers[number]),
                    size == MISSING,
                ))
                continue
            self._sent_from[answered].iov_base = self._answers[answered]
            self._sent_from[answered].iov_len = size
            self._sending[answered].msg_hdr.msg_name = self._peers[number]
            self._sending[answered].msg_hdr.msg_namelen = self._received[number].msg_hdr.msg_namelen
            answered += 1
        self.hits += answered
        if answered:
            with nogil:
                self._send(fd, answered)
        return left

    cdef int _begin(self, object prefixes, double now, double unix_now, double trusted_until) except -1:
        if prefixes is not self._prefixes:
            self._set_prefixes(prefixes)
        self._now = now
        self._trusted_until = trusted_until
        self._expires_at = <uint32_t>unix_now + EXPIRATION
        return 0

    cdef bint _read(self, const uint8_t *question, size_t octets, Asked *asked) noexcept nogil:
        """Read a question, and tell whether it is plain."""
        cdef uint32_t body_octets
        asked.is_plain = False
        if octets <= FRAME + ENDING or question[0] != 2 or question[2] & SPECIAL_ENVELOPE:
            return False
        asked.op_flags = get32(question + 28)
        body_octets = get32(question + 40)
        asked.handle_octets = get32(question + 44)
        if (
            get32(question + 20) != 1
            or asked.op_flags & SPECIAL_OPERATION
            or get32(question + 12) != 0
            or get32(question + 24) != 0
            or question[35] != 0
            or question[34] > RECURSIONS
            or get32(question + 16) != octets - 20
            or body_octets != octets - FRAME
            or asked.handle_octets != body_octets - ENDING
            or get32(question + octets - 12) != 0
            or get32(question + octets - 8) != 0
            or get32(question + octets - 4) != 0
        ):
            return False
        asked.minor = question[1]
        if question[2] & 3 == 2:
            asked.minor = question[3]
        elif question[2] & 3:
            return False
        asked.handle = question + FRAME
        if not self._is_plain_prefix(asked.handle, asked.handle_octets):
            return False
        asked.hash = <uint64_t>hash_octets(asked.handle, asked.handle_octets)
        asked.is_plain = True
        return True

    cdef bint _read_first(self, const uint8_t *octets, size_t count, Asked *asked, size_t *size) noexcept nogil:
        """Read the first of several messages, and tell whether it is whole and plain; `size` becomes its length."""
        if count < ENVELOPE:
            return False
        size[0] = ENVELOPE + <size_t>get32(octets + 16)
        return size[0] <= count and self._read(octets, size[0], asked)

    cdef Py_ssize_t _write(self, const uint8_t *question, const Asked *asked, uint8_t *answer, size_t room) noexcept nogil:
        """Write the answer and return its octets; else NOT_PLAIN, MISSING, or minus the octets that it needs."""
        cdef Record *record = self._table._find(asked.handle, asked.handle_octets, asked.hash)
        cdef uint32_t body_octets
        cdef size_t size
        if record is NULL or self._now >= record.expires_at or self._now >= self._trusted_until:
            return MISSING
        if record.public_octets <= 4 or (record.value_octets and not asked.op_flags & PUBLIC_ONLY):
            return NOT_PLAIN
        body_octets = 4 + asked.handle_octets + record.public_octets
        size = 44 + body_octets + 4
        if size > room:
            return -<Py_ssize_t>size
        answer[0] = 2
        answer[1] = min(asked.minor, 11)
        answer[2] = 2
        answer[3] = 11
        memcpy(answer + 4, question + 4, 8)
        memset(answer + 12, 0, 4)
        put32(answer + 16, size - 20)
        put32(answer + 20, 1)
        put32(answer + 24, 1)
        put32(answer + 28, asked.op_flags | AUTHORITATIVE)
        memcpy(answer + 32, question + 32, 4)
        put32(answer + 36, self._expires_at)
        put32(answer + 40, body_octets)
        put32(answer + 44, asked.handle_octets)
        memcpy(answer + FRAME, asked.handle, asked.handle_octets)
        memcpy(answer + FRAME + asked.handle_octets, public_of(record), record.public_octets)
        memset(answer + size - 4, 0, 4)
        return size

    # ---- prefixes

    cdef bint _is_plain_prefix(self, const uint8_t *handle, size_t octets) noexcept nogil:
        cdef size_t length = 0, slot
        cdef uint64_t hash
        while length < octets and handle[length] != c'/':
            length += 1
        hash = <uint64_t>hash_octets(handle, length)
        slot = hash & self._prefix_mask
        while self._prefix_octets[slot] is not NULL:
            if (
                self._prefix_hashes[slot] == hash
                and self._prefix_lengths[slot] == length
                and memcmp(self._prefix_octets[slot], handle, length) == 0
            ):
                return True
            slot = (slot + 1) & self._prefix_mask
        return False

    cdef int _set_prefixes(self, object prefixes) except -1:
        cdef size_t slots = 8, count = len(prefixes), slot
        cdef bytes prefix
        while slots <= 2 * count:
            slots *= 2
        self._free_prefixes()
        self._prefix_octets = <const uint8_t **>calloc(slots, sizeof(uint8_t *))
        self._prefix_hashes = <uint64_t *>calloc(slots, sizeof(uint64_t))
        self._prefix_lengths = <uint16_t *>calloc(slots, sizeof(uint16_t))
        if self._prefix_octets is NULL or self._prefix_hashes is NULL or self._prefix_lengths is NULL:
            raise MemoryError
        self._prefix_mask = slots - 1
        self._prefixes = prefixes
        for prefix in prefixes:
            slot = <uint64_t>hash_octets(<char *>prefix, len(prefix)) & self._prefix_mask
            while self._prefix_octets[slot] is not NULL:
                slot = (slot + 1) & self._prefix_mask
            self._prefix_octets[slot] = <const uint8_t *><char *>prefix
            self._prefix_hashes[slot] = <uint64_t>hash_octets(<char *>prefix, len(prefix))
            self._prefix_lengths[slot] = len(prefix)
        return 0

    cdef void _free_prefixes(self) noexcept nogil:
        free(self._prefix_octets)
        free(self._prefix_hashes)
        free(self._prefix_lengths)

    # ---- datagrams

    cdef int _receive(self, int fd) noexcept nogil:
        """Return how many datagrams came; 0 where there are none."""
        cdef int number, came
        for number in range(BATCH):
            self._received_into[number].iov_base = self._questions[number]
            self._received_into[number].iov_len = READ_OCTETS
            self._received[number].msg_hdr.msg_iov = &self._received_into[number]
            self._received[number].msg_hdr.msg_iovlen = 1
            self._received[number].msg_hdr.msg_name = self._peers[number]
            self._received[number].msg_hdr.msg_namelen = ADDRESS_OCTETS
            self._received[number].msg_hdr.msg_control = NULL
            self._received[number].msg_hdr.msg_controllen = 0
        came = recvmmsg(fd, self._received, BATCH, MSG_DONTWAIT, NULL)
        return max(came, 0)

    cdef void _foresee(self, int came) noexcept nogil:
        """Read all questions before the first is answered, so that the memory they need arrives meanwhile."""
        cdef int number
        for number in range(came):
            if self._received[number].msg_len > DATAGRAM:
                self._asked[number].is_plain = False
            elif self._read(self._questions[number], self._received[number].msg_len, &self._asked[number]):
                self._table._expect(self._asked[number].hash)
        for number in range(came):
            if self._asked[number].is_plain:
                self._table._expect_record(self._asked[number].hash)

    cdef void _send(self, int fd, int answered) noexcept nogil:
        """Send answers; those of one size to one peer leave as one message that the kernel cuts (UDP_SEGMENT)."""
        cdef int number, messages = answered, sent = 0, done
        for number in range(answered):
            self._sending[number].msg_hdr.msg_iov = &self._sent_from[number]
            self._sending[number].msg_hdr.msg_iovlen = 1
            self._sending[number].msg_hdr.msg_control = NULL
            self._sending[number].msg_hdr.msg_controllen = 0
        if self.can_segment:
            messages = self._group(answered)
        while sent < messages:
            done = sendmmsg(fd, &self._sending[sent], messages - sent, MSG_DONTWAIT)
            if done > 0:
                sent += done
            elif errno == EAGAIN or errno == ENOBUFS:
                break
            elif errno != EINTR:
                if self._sending[sent].msg_hdr.msg_iovlen > 1 and errno in (EIO, EINVAL, ENOPROTOOPT, EMSGSIZE):
                    self.can_segment = False  # An old kernel, or a device that cannot: from now on one by one.
                self.not_sent += self._sending[sent].msg_hdr.msg_iovlen
                sent += 1
        for number in range(sent, messages):
            self.not_sent += self._sending[number].msg_hdr.msg_iovlen

    cdef int _group(self, int answered) noexcept nogil:
        """Bring together what may leave as one message, and return how many messages there are."""
        cdef int group_of[BATCH]
        cdef int first_of[BATCH]
        cdef int counts[BATCH]
        cdef iovec ordered[BATCH]
        cdef mmsghdr heads[BATCH]
        cdef int groups = 0, number, group, place = 0
        cdef size_t size
        for number in range(answered):
            size = self._sent_from[number].iov_len
            for group in range(groups):
                if (
                    counts[group] < SEGMENTS_MAX
                    and self._sent_from[first_of[group]].iov_len == size
                    and (counts[group] + 1) * size <= SEGMENTED_OCTETS_MAX
                    and self._sending[first_of[group]].msg_hdr.msg_namelen == self._sending[number].msg_hdr.msg_namelen
                    and memcmp(
                        self._sending[first_of[group]].msg_hdr.msg_name,
                        self._sending[number].msg_hdr.msg_name,
                        self._sending[number].msg_hdr.msg_namelen,
                    ) == 0
                ):
                    break
            else:
                group = groups
                first_of[group] = number
                counts[group] = 0
                groups += 1
            group_of[number] = group
            counts[group] += 1
        if groups == answered:
            return answered
        for group in range(groups):
            heads[group] = self._sending[first_of[group]]
            heads[group].msg_hdr.msg_iov = &self._sent_from[place]
            heads[group].msg_hdr.msg_iovlen = counts[group]
            if counts[group] > 1:
                segment(&heads[group].msg_hdr, self._segments[group], self._sent_from[first_of[group]].iov_len)
            first_of[group] = place
            place += counts[group]
        for number in range(answered):
            group = group_of[number]
            ordered[first_of[group]] = self._sent_from[number]
            first_of[group] += 1
        memcpy(self._sent_from, ordered, answered * sizeof(iovec))
        memcpy(self._sending, heads, groups * sizeof(mmsghdr))
        return groups


cdef void *resized(void *memory, size_t octets) except NULL:
    cdef void *larger = realloc(memory, octets)
    if larger is NULL:
        raise MemoryError
    return larger


cdef object address_of(const uint8_t *address):
    """Return a peer as the socket module would."""
    cdef const sockaddr *head = <const sockaddr *>address
    cdef int port = get16(address + 2)
    if head.sa_family == AF_INET:
        return f"{address[4]}.{address[5]}.{address[6]}.{address[7]}", port
    host = socket.inet_ntop(socket.AF_INET6, (<const char *>address + 8)[:16])
    scope = int.from_bytes((<const char *>address + 24)[:4], "little")
    return host, port, get32(address + 4), scope
