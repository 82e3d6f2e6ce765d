-- What the catalog remembers. Times are epoch milliseconds; documents are JSON with sorted keys.

CREATE TABLE IF NOT EXISTS layout (
    hash     VARCHAR NOT NULL,            -- of this file: a catalog of another layout is not opened
    catalog  VARCHAR NOT NULL             -- an id of its own, by which a lake knows who writes to it
);

CREATE TABLE IF NOT EXISTS uploads (
    no              BIGINT PRIMARY KEY,   -- local to this catalog, never exported
    user_id         VARCHAR NOT NULL,
    content_hash    VARCHAR NOT NULL,     -- SHA-256 of the bytes
    record_type     VARCHAR,              -- null when the bytes do not tell
    uploaded        BIGINT NOT NULL,
    key             VARCHAR NOT NULL,     -- relative to the lake or the source root
    bucket          VARCHAR NOT NULL,
    url             VARCHAR NOT NULL,
    correlation_id  VARCHAR,              -- null when no envelope gave one
    size            BIGINT NOT NULL,
    records         BIGINT NOT NULL,
    codec           VARCHAR,
    fingerprint     VARCHAR,              -- of the writer schema
    drift           BOOLEAN NOT NULL DEFAULT FALSE,
    state           VARCHAR NOT NULL,     -- unreadable, decoded, accepted, quarantined
    reason          VARCHAR,              -- why it cannot be used; schema_error may stand beside decoded
    detail          VARCHAR,              -- the reason in words, or the fields that the schema lacks
    limits          VARCHAR NOT NULL,     -- those it was read under
    scores          VARCHAR,              -- document: what its rows are worth, from when they were read until judged
    judged          VARCHAR,              -- the settings it was judged by
    quality         VARCHAR,              -- document: scores, rule counts, errors, warnings
    quarantine_key  VARCHAR,              -- where its copy is kept, when one is
    quarantine_note VARCHAR,              -- the note that stands beside the copy
    fetched         BIGINT,               -- latest fetch time of its records
    published       BOOLEAN NOT NULL,     -- whether other workers can know of it
    brings_new      BOOLEAN,              -- kept because working it out sorts every record of a user
    UNIQUE (user_id, content_hash)
);

CREATE TABLE IF NOT EXISTS sources (
    url       VARCHAR NOT NULL,
    owner     VARCHAR NOT NULL,           -- the upload as whose place it was announced; empty for one that was listed
    size      BIGINT NOT NULL,
    stamp     VARCHAR NOT NULL,           -- ETag or time of change, empty when none was told
    key       VARCHAR NOT NULL,
    bucket    VARCHAR NOT NULL,
    uploaded  BIGINT NOT NULL,
    upload    BIGINT NOT NULL,
    fits      BOOLEAN NOT NULL,           -- whether what is said of the place is true of the bytes: type and hash
    correlation_id  VARCHAR,
    published  BOOLEAN NOT NULL,          -- whether other workers can know of it
    PRIMARY KEY (url, owner)
);

CREATE TABLE IF NOT EXISTS parts (        -- what was published by this worker, or taken in from others
    name  VARCHAR PRIMARY KEY
);

CREATE TABLE IF NOT EXISTS claims (       -- messages that are being handled, or were
    idempotency  VARCHAR PRIMARY KEY,
    owner        VARCHAR NOT NULL,
    done         BOOLEAN NOT NULL,
    until        BIGINT NOT NULL
);

CREATE TABLE IF NOT EXISTS records (
    upload       BIGINT NOT NULL,
    record       BIGINT NOT NULL,         -- position inside the upload
    identity     VARCHAR NOT NULL,        -- metadata.id, else app, device, start and end
    modified     BIGINT NOT NULL,
    version      BIGINT NOT NULL,
    source       VARCHAR NOT NULL,
    device       VARCHAR,
    start        BIGINT,
    "end"        BIGINT,
    "offset"     VARCHAR,
    fetched      BIGINT
);

CREATE TABLE IF NOT EXISTS readings (
    upload            BIGINT NOT NULL,
    record            BIGINT NOT NULL,
    start             BIGINT,
    "end"             BIGINT,
    value             DOUBLE,
    label             VARCHAR,
    meal_type         VARCHAR,
    relation_to_meal  VARCHAR
);

CREATE TABLE IF NOT EXISTS analyses (
    subject      VARCHAR PRIMARY KEY,     -- number of the upload; user, type, kind and key of a window
    kind         VARCHAR NOT NULL,        -- upload, day, night, week, month
    user_id      VARCHAR NOT NULL,
    record_type  VARCHAR NOT NULL,
    upload       BIGINT,                  -- null for a window
    month        VARCHAR,                 -- of the last local day of a window; an upload has that of its time
    ends         BIGINT,                  -- when a window ends
    origin       VARCHAR,                 -- document: the uploads behind a window
    inputs       VARCHAR NOT NULL,        -- hash of all that the analysis depends on
    document     VARCHAR NOT NULL
);

CREATE TABLE IF NOT EXISTS scopes (       -- windows that are worked out together: all of one kind in a month
    user_id      VARCHAR NOT NULL,
    record_type  VARCHAR NOT NULL,
    kind         VARCHAR NOT NULL,
    month        VARCHAR NOT NULL,        -- empty for all months
    inputs       VARCHAR NOT NULL,
    PRIMARY KEY (user_id, record_type, kind, month)
);

CREATE TABLE IF NOT EXISTS examples (
    subject     VARCHAR PRIMARY KEY,
    inputs      VARCHAR NOT NULL,         -- hash of all that the example depends on
    example_id  VARCHAR NOT NULL,
    category    VARCHAR NOT NULL,
    line        VARCHAR NOT NULL,         -- the row as exported, less what settings may leave out
    wanted      BOOLEAN NOT NULL          -- whether the last narration was asked for subjects of this kind
);

CREATE TABLE IF NOT EXISTS storing (      -- months of which some of what was told is stored, and some may not be
    month  VARCHAR PRIMARY KEY
);

CREATE TABLE IF NOT EXISTS tellings (     -- when each content was first told
    processing_id  VARCHAR PRIMARY KEY,
    first          BIGINT NOT NULL,
    published      BOOLEAN NOT NULL       -- whether other workers can know of it
);

CREATE VIEW IF NOT EXISTS standing AS     -- what there is to tell, with the month it belongs to and its place in it
SELECT analyses.* EXCLUDE (month), uploads.* EXCLUDE (user_id, record_type),
       coalesce(month, strftime(make_timestamp(uploaded * 1000), '%Y-%m')) AS month, coalesce(ends, uploaded) AS moment
FROM analyses LEFT JOIN uploads ON no = upload
WHERE upload IS NULL OR (state = 'accepted' AND brings_new);

CREATE TABLE IF NOT EXISTS exports (
    lake       VARCHAR NOT NULL,
    key        VARCHAR NOT NULL,
    month      VARCHAR NOT NULL,
    signature  VARCHAR NOT NULL,          -- of the examples
    flavour    VARCHAR NOT NULL,          -- the settings that shape their lines
    size       BIGINT NOT NULL,
    rows       BIGINT NOT NULL,
    PRIMARY KEY (lake, key)
);
