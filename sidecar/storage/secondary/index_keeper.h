// Keeps the index of a secondary's copy fresh, beside replication.
#ifndef ZRS_SIDECAR_STORAGE_SECONDARY_INDEX_KEEPER_H_
#define ZRS_SIDECAR_STORAGE_SECONDARY_INDEX_KEEPER_H_

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "filestorage/file_system.h"
#include "filestorage/index/index_builder.h"
#include "proto/zrs/v1/admin.pb.h"
#include "sidecar/runtime/runtime.h"
#include "sidecar/storage/options.h"
#include "sidecar/storage/secondary/copy_file.h"

namespace zrs::storage {

// Everything on the strand, which it never holds up. The long work is done aside (Runtime::PostAside): it reads the
// file by a descriptor of its own, below the committed end alone, and writes the index under a temporary name. That
// takes the index's place by a task on the I/O thread, so in order with swaps and cuts, and only where there was none
// since.
//
// What goes wrong is told in the status, and in the log once until it goes well again; it is tried again after the
// interval, and nothing else suffers.
class IndexKeeper {
 public:
  // `options.index_interval`: zero: never. All that is referred to outlives the last WhenIdle.
  IndexKeeper(const StorageOptions& options, runtime::Runtime& runtime, filestorage::FileSystem& file_system,
              CopyFile& file);

  // To be called now and then, while the index may be written. `committed`: the copy's committed end, in bytes. Begins
  // an update where one is due: an interval after the last one ended (or after the first call), if something was
  // committed since.
  void Tick(uint64_t committed);
  // An update that is under way ends soon, and leaves the index as it is.
  void Cancel();
  // The same; the live file is about to be replaced or cut, which takes the index away.
  void OnFileGoes();
  // `done` once no update is under way, perhaps before this returns.
  void WhenIdle(absl::AnyInvocable<void()> done);

  void FillStatus(v1::StorageStatus& status) const;

 private:
  using Report = absl::StatusOr<filestorage::IndexReport>;
  using Prepared = absl::StatusOr<filestorage::PreparedIndex>;
  using CancelFlag = std::shared_ptr<std::atomic<bool>>;  // any thread

  void Begin();
  // These two on the I/O thread.
  void BeginOnIo(const CancelFlag& cancelled);
  Report Put(const CopyFile::Indexable& of, Prepared prepared, const std::atomic<bool>& cancelled);

  void OnEnded(const Report& report);
  void NoteFailed(const absl::Status& status);

  const StorageOptions& options_;
  runtime::Runtime& runtime_;
  filestorage::FileSystem& file_system_;
  CopyFile& file_;
  std::optional<absl::Duration> due_;  // by Runtime::Now; absent before the first Tick
  CancelFlag cancelled_;               // of the update that is under way; null: there is none
  std::vector<absl::AnyInvocable<void()>> waiting_;
  std::optional<uint64_t> up_to_;  // the index is of all before; absent while that is not known
  std::string time_;               // when it became so, RFC 3339
  std::string last_error_;         // empty: the last one went well
};

}  // namespace zrs::storage

#endif  // ZRS_SIDECAR_STORAGE_SECONDARY_INDEX_KEEPER_H_
