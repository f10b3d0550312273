#include "report/shorten.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <string_view>

#include <fmt/format.h>

namespace luatrail::report {
namespace {

using detect::Finding;

// How much of each field a round leaves; texts in bytes, lists in entries.
struct Round {
    std::size_t ancestor_words, ancestor_word;
    std::size_t words, word;
    std::size_t inline_text;
    std::size_t ancestors;
    std::size_t reasons, reason;
    std::size_t events, chain;
    std::size_t text; // any other
};

constexpr std::array<Round, 6> rounds{{
    {8, 64, 32, 256, 1024, 16, 16, 200, 32, 32, 1024},
    {4, 32, 16, 96, 512, 8, 8, 120, 16, 8, 256},
    {2, 24, 8, 48, 256, 4, 6, 60, 4, 4, 96},
    {1, 16, 4, 24, 96, 2, 4, 32, 2, 2, 32},
    {1, 0, 2, 12, 32, 1, 2, 16, 1, 1, 12},
    {0, 0, 0, 0, 0, 0, 1, 0, 1, 1, 0},
}};

bool plain(std::string_view bytes) {
    return std::all_of(bytes.begin(), bytes.end(),
                       [](char c) { return c >= 0x20 && c < 0x7f && c != '"' && c != '\\'; });
}

bool continues_character(char byte) {
    return (static_cast<unsigned char>(byte) & 0xc0U) == 0x80;
}

struct Whole {
    const Finding& finding;
    const Sentences& sentences;
};

// Fills fields of `cut` from the same ones of `whole`, never from an earlier round's, so that what a mark counts is
// what is missing.
class Cutter {
  public:
    Cutter(const Whole& whole, const Round& round, Shortened& cut)
        : whole_(whole.finding), whole_sentences_(whole.sentences), round_(round), cut_(cut.finding),
          cut_sentences_(cut.sentences) {}

    bool changed() const { return changed_; } // whether anything had to be left out

    void ancestors_argv();
    void ancestors();
    void reasons();
    void chain();
    void degraded();
    void process();
    void process_argv() { cut_.process.argv = words(whole_.process.argv, round_.words, round_.word); }
    void events() { cut_.events = first_of(whole_.events, round_.events); }
    void inline_text() { cut_.code.inline_text = text(whole_.code.inline_text, round_.inline_text); }
    void code();
    void interpreter();
    void expectation();
    void evidence();
    void node() { cut_.node = text(whole_.node, round_.text); }
    void title() { cut_sentences_.title = text(whole_sentences_.title, round_.text); }

  private:
    std::string text(const std::string& from, std::size_t limit);
    std::optional<std::string> text(const std::optional<std::string>& from, std::size_t limit) {
        return from ? std::optional(text(*from, limit)) : std::nullopt;
    }
    std::vector<std::string> words(const std::vector<std::string>& from, std::size_t count, std::size_t size);
    std::optional<detect::LoginInfo> login(const std::optional<detect::LoginInfo>& from);
    template <class Entry>
    std::vector<Entry> first_of(const std::vector<Entry>& from, std::size_t limit) {
        changed_ = changed_ || from.size() > limit;
        return {from.begin(), from.begin() + static_cast<std::ptrdiff_t>(std::min(from.size(), limit))};
    }
    // Of `kept` ancestors the first ones are the nearest; the last is where it all came from.
    const detect::Ancestor& ancestor(std::size_t at, std::size_t kept) const {
        return at > 0 && at + 1 == kept ? whole_.ancestors.back() : whole_.ancestors[at];
    }

    const Finding& whole_;
    const Sentences& whole_sentences_;
    const Round& round_;
    Finding& cut_;
    Sentences& cut_sentences_;
    bool changed_ = false;
};

// Takes the middle out: a path's end says as much as its start. Characters stay whole, so that a text that was UTF-8
// still is.
std::string Cutter::text(const std::string& from, std::size_t limit) {
    constexpr std::size_t not_worth_it = 16; // a mark is about as long
    if (from.size() <= limit || (from.size() <= not_worth_it && plain(from))) {
        return from;
    }
    changed_ = true;
    std::size_t head = limit - limit / 2;
    std::size_t tail = from.size() - limit / 2;
    while (head > 0 && continues_character(from[head])) {
        --head;
    }
    while (tail < from.size() && continues_character(from[tail])) {
        ++tail;
    }
    return fmt::format("{}[...{} bytes...]{}", from.substr(0, head), tail - head, from.substr(tail));
}

// Keeps the first words (the program, the script) and the last one.
std::vector<std::string> Cutter::words(const std::vector<std::string>& from, std::size_t count, std::size_t size) {
    const bool fits = from.size() <= count + 1; // one mark in place of one word gains nothing
    const std::size_t tail = !fits && count > 1 ? 1 : 0;
    const std::size_t head = fits ? from.size() : count - tail;
    std::vector<std::string> kept;
    for (std::size_t at = 0; at < head; ++at) {
        kept.push_back(text(from[at], size));
    }
    if (!fits) {
        changed_ = true;
        kept.push_back(fmt::format("[...{} arguments...]", from.size() - count));
    }
    if (tail > 0) {
        kept.push_back(text(from.back(), size));
    }
    return kept;
}

std::optional<detect::LoginInfo> Cutter::login(const std::optional<detect::LoginInfo>& from) {
    return from ? std::optional(detect::LoginInfo{text(from->address, round_.text), text(from->terminal, round_.text),
                                                  text(from->account, round_.text)})
                : std::nullopt;
}

void Cutter::ancestors_argv() {
    const auto kept = cut_.ancestors.size();
    for (std::size_t at = 0; at < kept; ++at) {
        cut_.ancestors[at].argv = words(ancestor(at, kept).argv, round_.ancestor_words, round_.ancestor_word);
    }
}

void Cutter::ancestors() {
    const auto kept = std::min(round_.ancestors, whole_.ancestors.size());
    cut_.ancestors = first_of(whole_.ancestors, kept);
    for (std::size_t at = 0; at < kept; ++at) {
        cut_.ancestors[at] = ancestor(at, kept);
        cut_.ancestors[at].exe = text(cut_.ancestors[at].exe, round_.text);
    }
    ancestors_argv();
}

void Cutter::reasons() {
    cut_sentences_.reasons = first_of(whole_sentences_.reasons, round_.reasons);
    for (auto& reason : cut_sentences_.reasons) {
        reason = {text(reason.id, std::max<std::size_t>(round_.reason, 12)), text(reason.text, round_.reason)};
    }
}

void Cutter::chain() {
    cut_.chain = first_of(whole_.chain, round_.chain);
    for (auto& entry : cut_.chain) {
        entry.path = text(entry.path, round_.text);
        if (entry.by) {
            entry.by->exe = text(entry.by->exe, round_.text);
            entry.by->login = login(entry.by->login);
            if (entry.by->below) {
                entry.by->below->program = text(entry.by->below->program, round_.text);
            }
            for (auto& argument : entry.by->argv) {
                argument = text(argument, round_.text);
            }
        }
    }
}

// Degradations have seven names; more of them can only be repetitions.
void Cutter::degraded() {
    auto& all = cut_.degraded;
    std::sort(all.begin(), all.end());
    all.erase(std::unique(all.begin(), all.end()), all.end());
    changed_ = changed_ || all.size() != whole_.degraded.size();
}

void Cutter::process() {
    using detect::ProcessInfo;
    for (const auto member : {&ProcessInfo::user, &ProcessInfo::tty, &ProcessInfo::comm, &ProcessInfo::cwd,
                              &ProcessInfo::unit, &ProcessInfo::container}) {
        cut_.process.*member = text(whole_.process.*member, round_.text);
    }
    cut_.process.login = login(whole_.process.login);
}

void Cutter::code() {
    using detect::Code;
    for (const auto member : {&Code::argument, &Code::path, &Code::package}) {
        cut_.code.*member = text(whole_.code.*member, round_.text);
    }
    cut_.code.format = text(whole_.code.format, round_.text);
}

void Cutter::interpreter() {
    cut_.interpreter.exe = text(whole_.interpreter.exe, round_.text);
    cut_.interpreter.profile = text(whole_.interpreter.profile, round_.text);
    cut_.interpreter.package = text(whole_.interpreter.package, round_.text);
}

void Cutter::expectation() {
    cut_.expectation.rule = text(whole_.expectation.rule, round_.text);
    cut_sentences_.why = text(whole_sentences_.why, round_.text);
}

void Cutter::evidence() {
    if (!whole_.evidence) {
        return;
    }
    using detect::Evidence;
    using detect::FileEvidence;
    auto& evidence = *cut_.evidence;
    for (const auto file : {&Evidence::interpreter, &Evidence::script}) {
        if (const auto& from = *whole_.evidence.*file) {
            for (const auto member : {&FileEvidence::path, &FileEvidence::first_line, &FileEvidence::note}) {
                *(evidence.*file).*member = text(*from.*member, round_.text);
            }
        }
    }
    evidence.environment = words(whole_.evidence->environment, round_.words, round_.text);
    evidence.note = text(whole_.evidence->note, round_.text);
}

struct Step {
    std::string_view key;
    void (Cutter::*apply)();
};

constexpr std::array<Step, 15> steps{{
    {"ancestors.argv", &Cutter::ancestors_argv},
    {"process.argv", &Cutter::process_argv},
    {"code.inline", &Cutter::inline_text},
    {"ancestors", &Cutter::ancestors},
    {"evidence", &Cutter::evidence},
    {"reasons", &Cutter::reasons},
    {"events", &Cutter::events},
    {"chain", &Cutter::chain},
    {"degraded", &Cutter::degraded},
    {"process", &Cutter::process},
    {"expectation", &Cutter::expectation},
    {"interpreter", &Cutter::interpreter},
    {"code", &Cutter::code},
    {"node", &Cutter::node},
    {"title", &Cutter::title},
}};

} // namespace

std::vector<std::string_view> shortened_keys() {
    std::vector<std::string_view> keys;
    keys.reserve(steps.size());
    for (const auto& step : steps) {
        keys.push_back(step.key);
    }
    return keys;
}

Shortened shorten_until(const Finding& finding, const Sentences& sentences,
                        const std::function<bool(const Shortened&)>& fits) {
    const Whole whole{finding, sentences};
    Shortened subject{finding, sentences, {}};
    if (fits(subject)) {
        return subject;
    }
    for (const Round& round : rounds) {
        for (const Step& step : steps) {
            Cutter cutter(whole, round, subject);
            (cutter.*step.apply)();
            const std::string key(step.key);
            if (!cutter.changed()) {
                continue;
            }
            if (std::find(subject.keys.begin(), subject.keys.end(), key) == subject.keys.end()) {
                subject.keys.push_back(key);
            }
            if (fits(subject)) {
                return subject;
            }
        }
    }
    return subject;
}

} // namespace luatrail::report
