// The copy that a secondary keeps, as its I/O thread sees it: the data file, its lock and its state file.
#ifndef ZRS_SIDECAR_STORAGE_COPY_FILE_H_
#define ZRS_SIDECAR_STORAGE_COPY_FILE_H_

#include <memory>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "filestorage/appender.h"
#include "filestorage/lock.h"
#include "sidecar/replication/follower_session.h"
#include "sidecar/storage/options.h"
#include "sidecar/storage/state_file.h"

namespace zrs::storage {

// On the I/O thread only; every call may block on the disk.
class CopyFile {
 public:
  CopyFile(const StorageOptions& options, filestorage::FileSystem& file_system);

  struct Found {
    replication::Copy copy;
    filestorage::Recovery recovery;  // where there was a file
  };
  // Takes `Data.fs.lock`, reads the state, opens the file and recovers it. Without a file the copy is empty (its
  // lineage is kept where the state knows one). FailedPrecondition when there is a file but nothing that says what it
  // is.
  absl::StatusOr<Found> Open();

  // A first copy: the identity is durable before the file exists, so no file is ever without one. It gets the mode that
  // `create` says.
  absl::Status Create(const replication::CreateCopy& create);
  // Appends and commits as the group says; errors as Appender's.
  absl::Status Write(const replication::WriteGroup& group);
  // Forgets what is not committed. OK without a file.
  absl::Status Cut();
  // Remembers identity and the committed end.
  absl::Status SaveState();
  // Saves the state and lets go of file and lock.
  void Close();

  absl::StatusOr<size_t> Read(uint64_t offset, absl::Span<char> out);
  absl::StatusOr<bool> HasBoundary(const filestorage::Boundary& boundary);

 private:
  absl::StatusOr<std::optional<State>> LoadState();
  absl::Status OpenAppender(const filestorage::Boundary& lower_bound, filestorage::Recovery* recovery);

  const StorageOptions options_;
  filestorage::FileSystem& file_system_;
  StateFile state_file_;
  std::optional<State> state_;
  std::unique_ptr<filestorage::DataFileLock> lock_;
  std::unique_ptr<filestorage::Appender> appender_;
};

}  // namespace zrs::storage

#endif  // ZRS_SIDECAR_STORAGE_COPY_FILE_H_
