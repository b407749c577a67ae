// The runs that a snapshot shows: lists that never change once made, shared by all snapshots they are in.
#pragma once

#include <cstddef>
#include <initializer_list>
#include <iterator>
#include <memory>
#include <utility>
#include <vector>

#include "probe/engine/run.h"

namespace slosonde::engine {

using RunPtr = std::shared_ptr<const RunRecord>;

// A transaction's runs in flight, newest first, then its closed ones, newest first; then the next transaction's.
// Whoever wants another order sorts what it needs, on its own thread. Adding a part costs a pointer, however long it
// is.
class RunList {
 public:
  using Part = std::vector<RunPtr>;

  class Iterator {
   public:
    using iterator_category = std::forward_iterator_tag;
    using value_type = RunPtr;
    using difference_type = std::ptrdiff_t;
    using pointer = const RunPtr*;
    using reference = const RunPtr&;

    Iterator() = default;
    Iterator(const std::vector<std::shared_ptr<const Part>>* parts, size_t part) : parts_(parts), part_(part) {}
    reference operator*() const { return (*(*parts_)[part_])[at_]; }
    pointer operator->() const { return &**this; }
    Iterator& operator++() {
      if (++at_ == (*parts_)[part_]->size()) {
        ++part_;
        at_ = 0;
      }
      return *this;
    }
    Iterator operator++(int) {
      Iterator before = *this;
      ++*this;
      return before;
    }
    friend bool operator==(const Iterator&, const Iterator&) = default;

   private:
    const std::vector<std::shared_ptr<const Part>>* parts_ = nullptr;
    size_t part_ = 0, at_ = 0;
  };

  RunList() = default;
  RunList(std::initializer_list<RunPtr> runs) { add(std::make_shared<const Part>(runs)); }

  void add(std::shared_ptr<const Part> part) {
    if (!part || part->empty()) return;
    size_ += part->size();
    parts_.push_back(std::move(part));
  }

  Iterator begin() const { return {&parts_, 0}; }
  Iterator end() const { return {&parts_, parts_.size()}; }
  size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }

 private:
  std::vector<std::shared_ptr<const Part>> parts_;  // none of them empty
  size_t size_ = 0;
};

}  // namespace slosonde::engine
