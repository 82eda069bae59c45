// The state of a simulated disk as a plain value: copying it is cheap, since pages are shared until they are written.
#ifndef ZRS_TESTS_SUPPORT_SIMULATED_FILE_SYSTEM_STATE_H_
#define ZRS_TESTS_SUPPORT_SIMULATED_FILE_SYSTEM_STATE_H_

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/types/span.h"

namespace zrs::tests {

// Decides what of the unsynced state survives a crash.
class CrashChooser {
 public:
  virtual ~CrashChooser() = default;
  // Returns a number below `options` (at least 2). 0 stands for "as it was when last synced", options - 1 for "as it
  // was when the machine crashed", anything between for a state in between.
  virtual size_t Choose(size_t options) = 0;
};

// Chooses at random, reproducibly.
class SeededChooser : public CrashChooser {
 public:
  explicit SeededChooser(uint64_t seed) : random_(seed) {}
  size_t Choose(size_t options) override { return static_cast<size_t>(random_() % options); }

 private:
  std::mt19937_64 random_;
};

// Nothing unsynced survives.
class LoseEverything : public CrashChooser {
 public:
  size_t Choose(size_t /*options*/) override { return 0; }
};

// Everything survives: what a killed process leaves, as opposed to a power loss.
class KeepEverything : public CrashChooser {
 public:
  size_t Choose(size_t options) override { return options - 1; }
};

// Goes through every combination, one crash (of a clone of the same state) after the other:
//   EveryOutcome every;
//   do { auto copy = disk.Clone(); copy->Crash(every); ... } while (every.Next());
class EveryOutcome : public CrashChooser {
 public:
  size_t Choose(size_t options) override;
  // Moves on to the next combination. False when all have been given.
  bool Next();

 private:
  struct Digit {
    size_t value = 0;
    size_t options = 0;
  };
  std::vector<Digit> digits_;
  size_t asked_ = 0;
};

// One file's contents: what is read now, and every state of each page, and of the size, since they were last synced.
class SimulatedInode {
 public:
  SimulatedInode(size_t page_size, uint32_t permissions) : mode(permissions), page_size_(page_size) {}

  uint64_t size() const { return sizes_.back(); }
  size_t ReadAt(uint64_t offset, absl::Span<char> out) const;
  void WriteAt(uint64_t offset, absl::string_view data);
  void Truncate(uint64_t size);
  void Sync();
  // What the kernel does at a write-back error: pages count as clean, though nobody knows which reached the disk.
  void FailSync();
  // How many different outcomes Crash can have; saturates.
  uint64_t CrashOutcomes() const;
  void Crash(CrashChooser& chooser);

  uint32_t mode;
  std::string link_target;   // of a symbolic link; else empty
  uint64_t lock_holder = 0;  // the handle that has the flock; 0: none
  uint64_t open_handles = 0;

 private:
  using Page = std::shared_ptr<const std::string>;  // null: zeros
  struct PageHistory {
    std::vector<Page> versions{nullptr};  // [0]: what the disk is sure to have; back(): what is read
    bool dirty = false;                   // whether the next sync writes it
  };
  void WritePage(uint64_t index, size_t at, absl::string_view data);
  void CutPage(PageHistory& history, size_t keep) const;
  std::vector<uint64_t> CandidateSizes() const;

  size_t page_size_;
  std::map<uint64_t, PageHistory> pages_;
  std::vector<uint64_t> sizes_{0};  // [0]: durable; back(): current; between: what writes and truncations reached
};

// Inodes, names and directories. A name's change is durable once the directories it concerns are synced.
class SimulatedDisk {
 public:
  explicit SimulatedDisk(size_t page_size) : page_size_(page_size) {}

  // What has this name, a symbolic link perhaps. 0: nothing.
  uint64_t Find(const std::string& path) const;
  // The name that `path` leads to over symbolic links as its last component: `path` itself where it is none, a name
  // that nothing has where one dangles. Empty for a loop.
  std::string Follow(std::string path) const;
  SimulatedInode& inode(uint64_t number) { return inodes_.at(number); }
  const SimulatedInode& inode(uint64_t number) const { return inodes_.at(number); }
  uint64_t Create(const std::string& path, uint32_t mode);
  void Rename(const std::string& from, const std::string& to);
  void Link(const std::string& from, const std::string& to);
  void Remove(const std::string& path);
  void SyncDirectory(const std::string& directory);
  // Directories are durable at once: nothing in the project depends on when they are.
  void CreateDirectories(const std::string& directory);
  bool HasDirectory(const std::string& directory) const { return directories_.contains(directory); }
  std::vector<std::string> List(const std::string& directory) const;
  const std::map<std::string, uint64_t>& names() const { return names_; }
  // Sizes of all files that have a name or a handle.
  uint64_t UsedBytes() const;

  uint64_t CrashOutcomes() const;
  // Directory changes: any subset of the unsynced ones, in order. Files: see SimulatedInode.
  void Crash(CrashChooser& chooser);
  // Forgets who has files open, as a copy of the disk in another machine does.
  void ForgetHandles();
  // Frees files without name or handle.
  void Collect();

 private:
  struct NameChange {
    std::string removed;  // empty: none
    std::string added;    // empty: none
    uint64_t inode = 0;   // of `added`
    std::set<std::string> unsynced_directories;
  };
  static void Apply(const NameChange& change, std::map<std::string, uint64_t>& names);
  void Change(NameChange change);

  size_t page_size_;
  uint64_t next_inode_ = 1;
  std::map<uint64_t, SimulatedInode> inodes_;
  std::map<std::string, uint64_t> names_;          // as seen
  std::map<std::string, uint64_t> durable_names_;  // as on the disk
  std::vector<NameChange> unsynced_;
  std::set<std::string> directories_{"/", "."};
};

}  // namespace zrs::tests

#endif  // ZRS_TESTS_SUPPORT_SIMULATED_FILE_SYSTEM_STATE_H_
