"""What the columns of tables mean, and which columns they come from, for people who look at them.

Beside the schemas and not in them: a better sentence must neither change a file nor make a stage
stale. `rows` holds the schemas.
"""

from collections.abc import Mapping

Columns = Mapping[str, str]
Lineage = Mapping[str, tuple[str, ...]]

MESSAGE_COLUMNS: Columns = {
    "message_id": "Chat id, and the id of the message in its source.",
    "chat_id": "The chat in its source, such as telegram:user1, or signal:7 for a thread.",
    "sender_id": "Who wrote it, such as signal:user7; null where the source gives no id.",
    "sender_name": "Name of the sender at that time.",
    "is_owner": "Whether the person who exported the chat wrote it.",
    "sent_at": "When it was sent, UTC.",
    "text": "The text as it was written, without markup.",
    "entities": "Formatting and links: type, offset and length in code points, value.",
    "reply_to_id": "The message that it answers.",
    "forwarded_from": "Whose message was forwarded.",
    "media_kind": "What is attached: photo, sticker, voice message, …",
    "media_path": "Where the export keeps what is attached.",
    "reactions": "Emoji, and how many people gave each.",
    "edited_at": "When it was last edited, UTC.",
}

CHAT_COLUMNS: Columns = {
    "chat_id": "The chat in its source, such as telegram:user1, or signal:7 for a thread.",
    "name": "Name of the chat.",
    "kind": "The source's own word, such as personal_chat.",
    "source": "The app that it comes from: telegram or signal.",
    "message_count": "Messages that were read.",
    "dropped_count": "Entries that were left out, such as service messages.",
    "participants": "Who wrote how many messages; most first.",
    "first_sent_at": "Time of the first message, UTC.",
    "last_sent_at": "Time of the last message, UTC.",
}

BLOCK_COLUMNS: Columns = {
    "block_id": "Chat id, id of the first message, and a hash of all members.",
    "chat_id": "The chat that it is cut from.",
    "token_count": "Tokens of the conversation as it is rendered.",
    "members": "Messages in time order, or parts of a message that is too long for one block.",
    "started_at": "Time of the first message, UTC.",
    "ended_at": "Time of the last message, UTC.",
}

ENRICHED_LINEAGE: Lineage = {name: (f"messages.{name}",) for name in MESSAGE_COLUMNS}

BLOCK_LINEAGE: Lineage = {
    "block_id": ("enriched_messages.message_id",),
    "chat_id": ("enriched_messages.chat_id",),
    "token_count": (
        "enriched_messages.text",
        "enriched_messages.sender_name",
        "chats.participants",
    ),
    "members": ("enriched_messages.message_id", "enriched_messages.text"),
    "started_at": ("enriched_messages.sent_at",),
    "ended_at": ("enriched_messages.sent_at",),
}

PROMPT_COLUMNS: Columns = {
    "record_id": "Hash of the conversation and its tools; equal ones are numbered.",
    "root_id": "The same for all equal conversations.",
    "file": "File of the set.",
    "number": "Place in that file, from 0.",
    "shape": "How the record is written: messages, sharegpt, responses or alpaca.",
    "messages": "The turns in OpenAI's roles, as JSON.",
    "tools": "The tools in OpenAI's form, as JSON.",
    "to_fill": "Numbers of the turns that are to be filled.",
}

REQUEST_COLUMNS: Columns = {
    "record_id": "The record that it is for.",
    "turn": "Number of the turn that is asked for.",
    "key": "Its name in the cache of answers, and in batches.",
    "model": "As the endpoint calls it.",
    "input_tokens": "Tokens of the prompt, by o200k_base.",
    "later_turns": "Turns of the record that are asked for after it.",
}

BATCH_FILE_COLUMNS: Columns = {
    "file": "Its name.",
    "model": "The one model that its lines ask.",
    "lines": "Requests in it.",
    "bytes": "Its size.",
    "tokens": "Tokens of its prompts, by o200k_base.",
}

COMPLETION_COLUMNS: Columns = {
    "record_id": "The record that it is for.",
    "turn": "Number of the turn that was asked for.",
    "key": "Its name in the cache of answers.",
    "message": "The assistant's message as it came, as JSON.",
    "failure": "Why it is no answer; null for an answer.",
    "finish_reason": "Why the model stopped, in OpenAI's words.",
    "model": "The model, as the endpoint names it.",
    "input_tokens": "Tokens of the prompt that were billed.",
    "output_tokens": "Tokens of the answer that were billed.",
    "mock": "Whether no model has written it.",
}

WINDOW_COLUMNS: Columns = {
    "window_id": "Id of the message that answers.",
    "chat_id": "Kind and number of the chat in its source.",
    "context": "Messages before the answer, oldest first: id, sender, speaker, text, time.",
    "response": "The owner's answer.",
    "responded_at": "When it was sent, UTC.",
    "partner_id": "Who wrote the last message before it that is not the owner's.",
    "partner_name": "Name of that person.",
    "momentum": "Rapid, moderate or slow, by the mean gap.",
    "context_size": "Messages of context.",
    "mean_gap_seconds": "Mean seconds between neighbouring messages, the answer included.",
    "response_delay_seconds": "Seconds from the last message to the answer.",
    "has_media": "Whether anything is attached to a message of the window.",
}

EPISODE_COLUMNS: Columns = {
    "episode_id": "Names its first message.",
    "chat_id": "Kind and number of the chat in its source.",
    "messages": "All messages with a text, oldest first: id, sender, speaker, text, time.",
    "started_at": "Time of the first message, UTC.",
    "ended_at": "Time of the last message, UTC.",
    "duration_seconds": "Seconds between the two.",
    "message_count": "Messages with a text.",
    "turns_of_you": "Turns of the owner: neighbouring messages of one person are one turn.",
    "turns_of_others": "Turns of everybody else.",
    "initiator": "Who wrote first: You or Other.",
    "mean_response_seconds": "Mean seconds until somebody else wrote; null where nobody did.",
    "conversation_type": "Chat, discussion or planning.",
}

CHAPTER_COLUMNS: Columns = {
    "book": "The book's partition.",
    "book_title": "What the book calls itself.",
    "number": "Place in the order of reading, from 0.",
    "path": "Titles from the chapter down to the own one.",
    "title": "The last of the path.",
    "level": "Depth below the book, from 1.",
    "kind": "front, body, back, notes or index.",
    "linear": "Whether it stands in the main order of reading.",
    "file": "Document of the archive that it begins in.",
    "anchor": "Id of the element that it begins with; empty for the document's beginning.",
    "start": "Where it begins, in code points, were all texts joined by a blank line.",
    "end": "Where it ends, counted the same.",
    "text": "Markdown; notes stand below the block that calls them.",
    "words": "Words of the text; an ideograph is one.",
}
