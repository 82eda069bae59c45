// Lists the transactions of a data file or of a saved tail, with their user names and descriptions.
#ifndef ZRS_FILESTORAGE_TRANSACTION_LOG_H_
#define ZRS_FILESTORAGE_TRANSACTION_LOG_H_

#include <cstdint>
#include <functional>
#include <limits>
#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "filestorage/file_system.h"
#include "filestorage/format.h"

namespace zrs::filestorage {

struct LoggedTransaction {
  uint64_t position = 0;  // in bytes from the start of the file that was named
  uint64_t size = 0;      // in bytes, with the redundant length
  Tid tid = 0;
  char status = kStatusComplete;  // 'c' in saved tails alone
  uint64_t records = 0;
  std::string user;         // any bytes, at most 65535
  std::string description;  // the same
};

struct LogOptions {
  Tid from = 0;  // the first and the last tid to be told of
  Tid to = std::numeric_limits<Tid>::max();
  uint64_t limit = 0;  // how many at most; 0: all
};

struct LogReport {
  bool is_tail = false;                 // a saved tail, not a data file
  std::optional<uint64_t> cut_at = {};  // of a tail: where it was cut off its data file; nothing where it does not tell
  bool stopped = false;                 // it was not read to its end: the limit was reached, or the visitor had enough
  uint64_t end = 0;                     // behind the last whole transaction, in bytes from the start of the file
  uint64_t rest = 0;                    // bytes behind that are not committed (of a tail: no whole transaction)
  bool sound = true;                    // no damage
  uint64_t position = 0;                // of the damage, in bytes from the start of the file
  std::string reason = {};              // of the damage, one line
};

// Called with each transaction that was asked for, in their order; false: enough.
using LogVisitor = std::function<bool(const LoggedTransaction& transaction)>;

// Reads the file at `path` from its beginning. A writer may go on meanwhile. Blocks; memory is constant. Damage is a
// report. Of a data file the committed transactions are told; of a saved tail those too that were voted and not
// finished, or only announced. Errors: the file's; InvalidArgument for what is neither.
absl::StatusOr<LogReport> ReadTransactionLog(FileSystem& file_system, const std::string& path,
                                             const LogOptions& options, const LogVisitor& visitor);

}  // namespace zrs::filestorage

#endif  // ZRS_FILESTORAGE_TRANSACTION_LOG_H_
