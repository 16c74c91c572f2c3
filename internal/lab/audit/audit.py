#!/usr/bin/env python3
"""Recount a lab from the files of those who sent and those who received.

Usage: audit.py DIR

Every (message, recipient) that was answered 250 must be at a remote host, in a
mailbox, or named as failed in a report that the sender's own mailbox holds.
Nothing of ims is used: neither its code nor its tracking log. Of the standard
library, json reads the lines and email reads the messages.

  DIR/senders/*.jsonl     what each sender tried, and was told
  DIR/sinks/HOST/         index.jsonl and the messages that a remote host took
  DIR/mailboxes/          the same for the organization's mailboxes

Prints counts and each missing pair. Exit status: 0 all is there, 1 something
is missing or a file does not agree with its index, 64 usage.
"""

import email
import email.policy
import glob
import hashlib
import json
import os
import sys


def lines(path):
    """The JSON objects of a file; a last line that was cut off is not one."""
    with open(path, "rb") as f:
        for n, line in enumerate(f, 1):
            if not line.endswith(b"\n"):
                break
            try:
                yield json.loads(line)
            except ValueError as e:
                raise SystemExit(f"audit: {path}:{n}: {e}")


def accepted(root):
    """Every (id, recipient) that got a 250, with its sender and who sent it."""
    pairs, tries = {}, 0
    for path in sorted(glob.glob(os.path.join(root, "senders", "*.jsonl"))):
        for rec in lines(path):
            tries += 1
            if rec["final"] // 100 != 2:
                continue
            for rcpt in rec["rcpts"]:
                if rcpt["code"] // 100 == 2:
                    key = (rec["id"], rcpt["addr"].lower())
                    pairs[key] = (rec["from"].lower(), rec["sender"], rec["server"])
    return pairs, tries


class Box:
    """What one index says was taken, checked against the files."""

    def __init__(self, folder):
        self.folder = folder
        self.taken = []  # (lab id, recipients, path)
        self.wrong = []
        for rec in lines(os.path.join(folder, "index.jsonl")):
            path = os.path.join(folder, rec["file"])
            try:
                with open(path, "rb") as f:
                    data = f.read()
            except OSError as e:
                self.wrong.append(f"{path}: in the index, but {e.strerror}")
                continue
            if hashlib.sha256(data).hexdigest() != rec["sha256"]:
                self.wrong.append(f"{path}: its bytes are not those of the index")
                continue
            message = email.message_from_bytes(data, policy=email.policy.default)
            lab = str(message.get("X-Ims-Lab-Id", "")).strip()
            self.taken.append((lab, [r.lower() for r in rec["rcpts"]], message))


def failures(message):
    """(lab id, failed recipient) of each recipient that a report gives up."""
    if message.get_content_type() != "multipart/report":
        return
    if message.get_param("report-type") != "delivery-status":
        return
    lab, failed = "", []
    for part in message.walk():
        kind = part.get_content_type()
        if kind == "message/delivery-status":
            for block in part.get_payload()[1:]:
                action = str(block.get("Action", "")).strip().lower()
                final = str(block.get("Final-Recipient", ""))
                if action == "failed" and ";" in final:
                    failed.append(final.split(";", 1)[1].strip().lower())
        elif kind == "text/rfc822-headers":
            text = part.get_payload(decode=True)
            lab = lab or email.message_from_bytes(text).get("X-Ims-Lab-Id", "").strip()
        elif kind == "message/rfc822":
            inner = part.get_payload(0)
            lab = lab or str(inner.get("X-Ims-Lab-Id", "")).strip()
    for rcpt in failed:
        yield lab, rcpt


def main(argv):
    if len(argv) != 2 or not os.path.isdir(os.path.join(argv[1], "senders")):
        print(__doc__.strip(), file=sys.stderr)
        return 64
    root = argv[1]
    pairs, tries = accepted(root)
    delivered, reported, wrong, reports = {}, set(), [], 0
    folders = sorted(glob.glob(os.path.join(root, "sinks", "*"))) + [os.path.join(root, "mailboxes")]
    for folder in folders:
        if not os.path.exists(os.path.join(folder, "index.jsonl")):
            continue
        box = Box(folder)
        wrong += box.wrong
        for lab, rcpts, message in box.taken:
            for rcpt in rcpts:
                if lab:
                    delivered[(lab, rcpt)] = delivered.get((lab, rcpt), 0) + 1
                for about, failed in failures(message):
                    reported.add((about, failed, rcpt))  # and who was told
            reports += any(True for _ in failures(message))

    at_host = at_report = 0
    missing = []
    for (lab, rcpt), (sender, kind, server) in sorted(pairs.items()):
        if (lab, rcpt) in delivered:
            at_host += 1
        elif (lab, rcpt, sender) in reported:
            at_report += 1
        else:
            missing.append(f"{lab} to <{rcpt}> from <{sender}> ({kind}, taken by {server})")
    twice = sum(1 for key in pairs if delivered.get(key, 0) > 1)

    print(f"tries                     {tries:6d}")
    print(f"answered 250 (pairs)      {len(pairs):6d}")
    print(f"  at a host or mailbox    {at_host:6d}")
    print(f"  in a report             {at_report:6d}")
    print(f"  missing                 {len(missing):6d}")
    print(f"reports that parse        {reports:6d}")
    print(f"delivered more than once  {twice:6d}")
    for one in missing:
        print(f"MISSING {one}")
    for one in wrong:
        print(f"WRONG {one}")
    if not pairs:
        print("nothing was accepted: there is nothing to compare")
    return 1 if missing or wrong or not pairs else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv))
