// What may go wrong with a state file, by what is to be done about it.
#pragma once

#include <cstdint>
#include <string>
#include <tl/expected.hpp>

namespace slosonde::store {

enum class Trouble : uint8_t {
  unable,   // the disk is full, the file system read-only, reading or writing failed: it may pass
  damaged,  // what is in the file is no state of ours: move it aside
  in_use,   // another process holds it
  newer,    // written by a later slosonde: leave it alone
  denied,   // the path is wrong, or not ours to write
};

struct StoreError {
  Trouble trouble = Trouble::unable;
  std::string text;  // for people: which file, what was wrong, what would be right
};

template <class T>
using StoreResult = tl::expected<T, StoreError>;

inline tl::unexpected<StoreError> trouble(Trouble kind, std::string text) {
  return tl::unexpected<StoreError>({kind, std::move(text)});
}

}  // namespace slosonde::store
