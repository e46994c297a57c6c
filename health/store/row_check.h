#pragma once

#include <sqlite3.h>

namespace sluice::health {

// The SQL function row_check(TABLE, COLUMN...), which every connection of ours has: 48 bits that
// change when any of its arguments changes. SQLite keeps no checksum of a page, so it takes a text
// with a flipped bit for what was written.
//
// 48 bits: damage passes once in 2.8e14 rows, and SQLite stores such a number in 6 octets instead
// of 9. Against accidents, not against somebody who can write the file.
void row_check(sqlite3_context* context, int count, sqlite3_value** values);

}  // namespace sluice::health
