#include "report/finding_json.hpp"

#include "luatrail/base/time.hpp"
#include "report/phrases.hpp"
#include "report/shorten.hpp"

namespace luatrail::report {
namespace {

using detect::to_string;

Json interpreter_value(const detect::Interpreter& interpreter) {
    Json value;
    put_optional(value, "exe", interpreter.exe);
    put_text(value, "profile", interpreter.profile);
    value["identified_by"] = to_string(interpreter.identified_by);
    put_optional(value, "package", interpreter.package);
    return value;
}

Json code_value(const detect::Code& code) {
    Json value;
    value["origin"] = to_string(code.origin);
    put_optional(value, "argument", code.argument);
    put_optional(value, "path", code.path);
    put_optional(value, "inline", code.inline_text);
    put_text(value, "format", code.format);
    put_optional(value, "package", code.package);
    return value;
}

// Only the keys that are known.
Json login_value(const detect::LoginInfo& login) {
    Json value = Json::object();
    const auto put = [&value](const char* key, const std::optional<std::string>& text) {
        if (text) {
            put_text(value, key, *text);
        }
    };
    put("address", login.address);
    put("terminal", login.terminal);
    put("account", login.account);
    return value;
}

Json process_value(const detect::ProcessInfo& process) {
    Json value;
    value["pid"] = process.pid;
    put_optional(value, "ppid", process.ppid);
    put_optional(value, "uid", process.uid);
    put_optional(value, "euid", process.euid);
    put_optional(value, "auid", process.auid);
    put_optional(value, "user", process.user);
    put_optional(value, "session", process.session);
    put_optional(value, "tty", process.tty);
    put_optional(value, "comm", process.comm);
    put_optional(value, "cwd", process.cwd);
    put_texts(value, "argv", process.argv);
    put_optional(value, "unit", process.unit);
    put_optional(value, "container", process.container);
    if (process.login) {
        value["login"] = login_value(*process.login);
    }
    return value;
}

Json ancestors_value(const std::vector<detect::Ancestor>& ancestors) {
    Json values = Json::array();
    for (const auto& ancestor : ancestors) {
        Json value;
        value["pid"] = ancestor.pid;
        put_optional(value, "exe", ancestor.exe);
        put_texts(value, "argv", ancestor.argv);
        put_optional(value, "uid", ancestor.uid);
        if (ancestor.package) {
            put_text(value, "package", *ancestor.package);
        }
        values.push_back(std::move(value));
    }
    return values;
}

Json expectation_value(const detect::Expectation& expectation, const std::string& why) {
    Json value;
    value["verdict"] = to_string(expectation.verdict);
    put_optional(value, "rule", expectation.rule);
    put_text(value, "why", why);
    return value;
}

Json actor_value(const detect::Actor& actor) {
    Json value;
    value["pid"] = actor.pid;
    put_optional(value, "exe", actor.exe);
    put_optional(value, "uid", actor.uid);
    if (!actor.argv.empty()) {
        put_texts(value, "argv", actor.argv);
    }
    if (actor.kind) {
        value["kind"] = *actor.kind;
    }
    if (actor.below) {
        put_text(value, "below", way_in(*actor.below));
    }
    if (actor.login) {
        value["login"] = login_value(*actor.login);
    }
    return value;
}

// Only the keys that apply: a memfd has no path, a memory artifact no age.
Json chain_entry_value(const detect::ChainEntry& entry) {
    Json value;
    value["kind"] = to_string(entry.kind);
    if (entry.how) {
        value["how"] = to_string(*entry.how);
    }
    if (entry.path) {
        put_text(value, "path", *entry.path);
    }
    if (entry.time_ms) {
        value["time"] = base::iso_time(*entry.time_ms);
    }
    if (entry.age_ms) {
        value["age_ms"] = *entry.age_ms;
    }
    value["event"] = audit::to_string(entry.event);
    if (entry.by) {
        value["by"] = actor_value(*entry.by);
    }
    if (entry.same_tree) {
        value["same_tree"] = *entry.same_tree;
    }
    if (entry.depth) {
        value["depth"] = *entry.depth;
    }
    return value;
}

Json chain_value(const std::vector<detect::ChainEntry>& chain) {
    Json values = Json::array();
    for (const auto& entry : chain) {
        values.push_back(chain_entry_value(entry));
    }
    return values;
}

Json reasons_value(const std::vector<ReasonText>& reasons) {
    Json values = Json::array();
    for (const auto& reason : reasons) {
        Json value;
        put_text(value, "id", reason.id);
        put_text(value, "text", reason.text);
        values.push_back(std::move(value));
    }
    return values;
}

Json events_value(const std::vector<audit::EventId>& events) {
    Json values = Json::array();
    for (const auto& event : events) {
        values.push_back(audit::to_string(event));
    }
    return values;
}

Json degraded_value(const std::vector<detect::Degraded>& degraded) {
    Json values = Json::array();
    for (const auto what : degraded) {
        values.push_back(to_string(what));
    }
    return values;
}

// Only the keys that are known.
Json file_evidence_value(const detect::FileEvidence& file) {
    Json value = Json::object();
    const auto put = [&value](const char* key, const std::optional<std::string>& text) {
        if (text) {
            put_text(value, key, *text);
        }
    };
    put("path", file.path);
    put("sha256", file.sha256);
    if (file.size) {
        value["size"] = *file.size;
    }
    put("first_line", file.first_line);
    put("bytecode", file.bytecode);
    put("note", file.note);
    return value;
}

Json evidence_value(const detect::Evidence& evidence) {
    Json value = Json::object();
    if (evidence.interpreter) {
        value["interpreter"] = file_evidence_value(*evidence.interpreter);
    }
    if (evidence.script) {
        value["script"] = file_evidence_value(*evidence.script);
    }
    if (!evidence.environment.empty()) {
        put_texts(value, "environment", evidence.environment);
    }
    if (evidence.note) {
        put_text(value, "note", *evidence.note);
    }
    return value;
}

// A lower bound of the JSON's size that costs no rendering: a finding may carry megabytes.
std::size_t at_least(const detect::Finding& finding, const Sentences& sentences) {
    const auto of = [](const std::vector<std::string>& words) {
        std::size_t sum = 0;
        for (const auto& word : words) {
            sum += word.size() + 3;
        }
        return sum;
    };
    const auto of_text = [](const std::optional<std::string>& text) { return text ? text->size() : 0; };
    std::size_t sum = sentences.title.size() + of(finding.process.argv) + of_text(finding.code.inline_text);
    for (const auto& ancestor : finding.ancestors) {
        sum += of(ancestor.argv) + of_text(ancestor.exe);
    }
    for (const auto& entry : finding.chain) {
        sum += of_text(entry.path);
    }
    for (const auto& reason : sentences.reasons) {
        sum += reason.text.size();
    }
    return sum;
}

} // namespace

Json finding_value(const detect::Finding& finding, const Sentences& sentences,
                   const std::vector<std::string>& shortened) {
    Json value;
    value["schema"] = "luatrail/finding/1";
    put_text(value, "id", finding.id);
    value["time"] = base::iso_time(finding.time_ms);
    put_optional(value, "node", finding.node);
    value["severity"] = to_string(finding.severity);
    put_text(value, "title", sentences.title);
    value["attack"] = Json{{"technique", "T1059.011"}, {"strategy", "DET0101"}, {"analytic", "AN0279"}};
    value["interpreter"] = interpreter_value(finding.interpreter);
    value["code"] = code_value(finding.code);
    value["process"] = process_value(finding.process);
    value["ancestors"] = ancestors_value(finding.ancestors);
    value["expectation"] = expectation_value(finding.expectation, sentences.why);
    value["chain"] = chain_value(finding.chain);
    value["reasons"] = reasons_value(sentences.reasons);
    value["events"] = events_value(finding.events);
    value["degraded"] = degraded_value(finding.degraded);
    put_optional(value, "follows", finding.follows);
    if (finding.evidence) {
        value["evidence"] = evidence_value(*finding.evidence);
    }
    if (finding.live) {
        value["live"] = true;
    }
    if (finding.is_test()) {
        value["test"] = true;
    }
    if (!shortened.empty()) {
        value["shortened"] = shortened;
    }
    return value;
}

std::string json_within(const detect::Finding& finding, std::size_t room, Characters characters) {
    std::string json;
    const auto sentences = sentences_of(finding);
    if (at_least(finding, sentences) <= room) { // nearly always: no copy
        json = json_line(finding_value(finding, sentences), characters);
        if (json.size() <= room) {
            return json;
        }
    }
    shorten_until(finding, sentences, [&](const Shortened& now) {
        if (at_least(now.finding, now.sentences) > room) {
            return false;
        }
        json = json_line(finding_value(now.finding, now.sentences, now.keys), characters);
        return json.size() <= room;
    });
    return json;
}

} // namespace luatrail::report
