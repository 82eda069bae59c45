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

#include "absl/container/btree_map.h"
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
  std::string Contents() const;
  bool HasContents(absl::string_view contents) const;
  // Bytes `from` to `to`, or to the end, of what a crash leaves that takes everything unsynced.
  std::string DurableContents(uint64_t from, uint64_t to) const;
  void WriteAt(uint64_t offset, absl::string_view data);
  void Truncate(uint64_t size);
  void Sync();
  // What the kernel does at a write-back error: pages count as clean, though nobody knows which reached the disk.
  void FailSync();
  // Whether Crash has only one outcome, what is read now.
  bool clean() const { return sizes_.size() == 1 && unsynced_.empty(); }
  // How many different outcomes Crash can have; saturates.
  uint64_t CrashOutcomes() const;
  void Crash(CrashChooser& chooser);

  uint32_t mode;
  std::string link_target;  // of a symbolic link; else empty

 private:
  using Page = std::shared_ptr<const std::string>;  // null: zeros
  struct PageHistory {
    std::vector<Page> versions;  // [0]: what the disk is sure to have; back(): what is read
    bool dirty = false;          // whether the next sync writes it
  };
  // Hands bytes `from` to `to` over, page by page; `page_of` has the state of the page of an entry of pages_.
  template <typename PageOf, typename Take>
  void Visit(uint64_t from, uint64_t to, PageOf page_of, Take take) const;
  void WritePage(uint64_t index, size_t at, absl::string_view data);
  void CutPage(uint64_t index, Page& current, size_t keep);
  void SetPage(uint64_t index, Page& current, Page page);
  std::vector<uint64_t> CandidateSizes() const;

  size_t page_size_;
  absl::btree_map<uint64_t, Page> pages_;     // as read; has all that unsynced_ has
  std::map<uint64_t, PageHistory> unsynced_;  // of the pages that have had more than one state since their last sync
  std::vector<uint64_t> sizes_{0};  // [0]: durable; back(): current; between: what writes and truncations reached
};

// Inodes, names and directories. A name's change is durable once the directories it concerns are synced. Copies share
// their inodes until one of them changes one.
class SimulatedDisk {
 public:
  explicit SimulatedDisk(size_t page_size) : page_size_(page_size) {}

  // What has this name, a symbolic link perhaps. 0: nothing.
  uint64_t Find(const std::string& path) const;
  // The name that `path` leads to over symbolic links as its last component: `path` itself where it is none, a name
  // that nothing has where one dangles. Empty for a loop.
  std::string Follow(std::string path) const;
  // As Find after Follow, in the names that are durable.
  uint64_t FindDurable(const std::string& path) const;
  const SimulatedInode& inode(uint64_t number) const { return *inodes_.at(number); }
  SimulatedInode& InodeToChange(uint64_t number);
  // A file that is open stays without a name. Its last Close frees it then.
  void Open(uint64_t number) { ++handles_[number].open; }
  void Close(uint64_t number, uint64_t handle);
  // The handle that has the flock of an open file; 0: none.
  uint64_t& LockHolder(uint64_t number) { return handles_[number].lock_holder; }
  uint64_t Create(const std::string& path, uint32_t mode);
  void Rename(const std::string& from, const std::string& to);
  void Link(const std::string& from, const std::string& to);
  void Remove(const std::string& path);
  void SyncDirectory(const std::string& directory);
  // Directories are durable at once: nothing in the project depends on when they are.
  void CreateDirectories(const std::string& directory);
  bool HasDirectory(const std::string& directory) const { return directories_.contains(directory); }
  std::vector<std::string> List(const std::string& directory) const;
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
  using Names = std::map<std::string, uint64_t>;
  struct Handles {
    uint64_t open = 0;
    uint64_t lock_holder = 0;
  };
  struct NameChange {
    std::string removed;  // empty: none
    std::string added;    // empty: none
    uint64_t inode = 0;   // of `added`
    std::set<std::string> unsynced_directories;
  };
  static void Apply(const NameChange& change, Names& names);
  static uint64_t FindIn(const Names& names, const std::string& path);
  std::string FollowIn(const Names& names, std::string path) const;
  void Change(NameChange change);

  size_t page_size_;
  uint64_t next_inode_ = 1;
  std::map<uint64_t, std::shared_ptr<SimulatedInode>> inodes_;
  std::map<uint64_t, Handles> handles_;  // of the files that are open
  Names names_;                          // as seen
  Names durable_names_;                  // as on the disk
  std::vector<NameChange> unsynced_;
  std::set<std::string> directories_{"/", "."};
};

}  // namespace zrs::tests

#endif  // ZRS_TESTS_SUPPORT_SIMULATED_FILE_SYSTEM_STATE_H_
