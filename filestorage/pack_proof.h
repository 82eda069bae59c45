// Is a file that took another's place a pack of it, or something else, as an older backup?
#ifndef ZRS_FILESTORAGE_PACK_PROOF_H_
#define ZRS_FILESTORAGE_PACK_PROOF_H_

#include <string>

#include "absl/status/statusor.h"
#include "filestorage/boundary.h"
#include "filestorage/boundary_probe.h"
#include "filestorage/format.h"

namespace zrs::filestorage {

struct PackProof {
  // The rule below that proved it.
  enum class By { kNothing, kNoTransactions, kSameTransaction, kLaterPack, kGarbage };
  By by = By::kNothing;
  bool proved() const { return by != By::kNothing; }
  std::string reason;  // why not, one line; empty where it is proved
};

// Whether nothing of value that the old file had, committed up to `left`, is missing in the new file, committed up to
// `end`. It is proved by the first of these that holds:
//   1. the old file had no transactions;
//   2. the new file has the old one's last transaction, by its tid;
//   3. the new file has a packed transaction (status 'p') with that tid or a later one: everything up to it went
//      through a pack (of this file, which is for the caller to know: not of another that took its place meanwhile);
//   4. the pack dropped the old file's last transactions themselves, which it does with garbage alone. Then the last
//      packed transaction of the new file is one of the old file's, and no object that was written behind it in the
//      old file has any record left in the new one. (A transaction that changed anything of value changed an object
//      that was there before, or is referenced by one that did: an older backup has that object.) This needs
//      the old file, and at most 100,000 objects that were written behind that transaction.
// `read_new` and `read_old` read the two files as File::ReadAt does; `read_old` is null when the old file is gone.
//
// Reads the new file backwards from its end, a header for each transaction since the pack; for 4. the whole of it.
// Blocks on the disk. An error is one of reading, or DataLoss where a transaction is unsound.
absl::StatusOr<PackProof> ProvePack(ReadFunction read_new, Magic magic, const Boundary& end, const Boundary& left,
                                    const ReadFunction* read_old);

}  // namespace zrs::filestorage

#endif  // ZRS_FILESTORAGE_PACK_PROOF_H_
