// One bound for everything that grows with the input, in bytes.
//
// The rule: code that keeps something that the input can make larger charges it here when it is put in, at what it
// takes on the heap (base/heap.hpp), and releases it when it is let go. Nothing else may hold such memory.
//
// A budget never refuses. A table puts in what an event brings and charges it; it doesn't know what is worth more than
// what. Its owner does: after each event, and before it returns, the owner lets its tables give way until within() is
// true again. So used() is at most limit() between two events, and above it only by what one event brings.
//
// How a table asks for room: it doesn't. A table that can give way offers one function for it,
//
//     bool give_way(); // lets go of what is worth least here, and counts it; false: nothing is left that could go
//
// and the owner of all of them chooses whose turn it is. detect::Nodes owns the tables of all nodes and chooses among
// kinds (who is furthest above its share) and nodes (who holds most of that kind); docs/design.md has the order.
//
// A budget can be a part of another: what is charged to the part is charged to the whole too. A part's limit is its
// share, which its owner keeps on its own or compares with other parts' when the whole is full.
//
// Not thread-safe: the thread that owns the engine's state owns the budget.
#pragma once

#include <cstddef>
#include <utility>

namespace luatrail::base {

class Budget {
  public:
    explicit Budget(std::size_t limit) : limit_(limit) {}
    // A part of `whole`, which outlives it.
    Budget(Budget& whole, std::size_t share) : whole_(&whole), limit_(share) {}
    // Charges point to it.
    Budget(const Budget&) = delete;
    Budget& operator=(const Budget&) = delete;

    std::size_t used() const { return used_; }
    std::size_t limit() const { return limit_; }
    bool within() const { return used_ <= limit_; }

    void charge(std::size_t bytes) { change(0, bytes); }
    void release(std::size_t bytes) { change(bytes, 0); }
    // What was `before` is `after` now.
    void change(std::size_t before, std::size_t after) {
        for (Budget* budget = this; budget != nullptr; budget = budget->whole_) {
            budget->used_ += after - before; // modulo 2^n: the sum is right when after is less
        }
    }

  private:
    Budget* whole_ = nullptr;
    std::size_t limit_;
    std::size_t used_ = 0;
};

// What one holder has charged. Released at its end; moved with its holder. The budget outlives it.
class Charge {
  public:
    Charge() = default; // of no budget: charges nothing
    explicit Charge(Budget& budget, std::size_t bytes = 0) : budget_(&budget) { resize(bytes); }
    Charge(Charge&& other) noexcept
        : budget_(std::exchange(other.budget_, nullptr)), bytes_(std::exchange(other.bytes_, 0)) {}
    Charge& operator=(Charge&& other) noexcept {
        if (this != &other) {
            resize(0);
            budget_ = std::exchange(other.budget_, nullptr);
            bytes_ = std::exchange(other.bytes_, 0);
        }
        return *this;
    }
    Charge(const Charge&) = delete;
    Charge& operator=(const Charge&) = delete;
    ~Charge() { resize(0); }

    // The holder takes so many bytes now.
    void resize(std::size_t bytes) {
        if (budget_ != nullptr) {
            budget_->change(bytes_, bytes);
            bytes_ = bytes;
        }
    }
    std::size_t bytes() const { return bytes_; }

  private:
    Budget* budget_ = nullptr;
    std::size_t bytes_ = 0;
};

} // namespace luatrail::base
