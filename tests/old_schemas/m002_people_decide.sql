BEGIN TRANSACTION;
CREATE TABLE "_sqlite_migrations" (
   "id" INTEGER PRIMARY KEY,
   "migration_set" TEXT,
   "name" TEXT,
   "applied_at" TEXT
);
INSERT INTO "_sqlite_migrations" VALUES(1,'bridge.store','m001_first','2026-11-25 06:51:56.403109+00:00');
INSERT INTO "_sqlite_migrations" VALUES(2,'bridge.store','m002_people_decide','2026-11-25 06:51:56.404610+00:00');
CREATE TABLE "accounts" (
   "name" TEXT PRIMARY KEY,
   "network" TEXT,
   "identity" TEXT,
   "handle" TEXT,
   "url" TEXT
);
INSERT INTO "accounts" VALUES('m','mastodon','mastodon:mastodon.example/117659978956800000','anna@mastodon.example','https://mastodon.example/@anna');
INSERT INTO "accounts" VALUES('b','bluesky','bluesky:did:plc:eryy2chojruafzslmkd5tzji','anna.test','https://bsky.app/profile/anna.test');
INSERT INTO "accounts" VALUES('x','twitter','twitter:188005024184452355','@anna','https://x.com/anna');
INSERT INTO "accounts" VALUES('m2','mastodon','mastodon:mastodon.example/117659978956800001','berit@mastodon.example','https://mastodon.example/@berit');
INSERT INTO "accounts" VALUES('b2','bluesky','bluesky:did:plc:m6mr3jd4mzcptqvcib574mqz','berit.test','https://bsky.app/profile/berit.test');
CREATE TABLE "alerts" (
   "kind" TEXT,
   "subject" TEXT,
   "text" TEXT,
   "began_at" TEXT,
   "told_at" TEXT,
   PRIMARY KEY ("kind", "subject")
);
INSERT INTO "alerts" VALUES('made up','made up','made up','made up','made up');
CREATE TABLE "cursors" (
   "bot" TEXT,
   "source" TEXT,
   "target" TEXT,
   "stream" TEXT,
   "cursor" TEXT,
   "started_at" TEXT,
   PRIMARY KEY ("bot", "source", "target", "stream")
);
INSERT INTO "cursors" VALUES('daily','mastodon:mastodon.example/117659978956800000','bluesky:did:plc:eryy2chojruafzslmkd5tzji','posts','117677005733888000','2026-11-22T12:00:00+00:00');
INSERT INTO "cursors" VALUES('daily','mastodon:mastodon.example/117659978956800000','twitter:188005024184452355','posts','117677005733888000','2026-11-22T12:00:00+00:00');
INSERT INTO "cursors" VALUES('pair','mastodon:mastodon.example/117659978956800001','bluesky:did:plc:m6mr3jd4mzcptqvcib574mqz','posts','117659979218944000','2026-11-22T12:00:00+00:00');
INSERT INTO "cursors" VALUES('pair','bluesky:did:plc:m6mr3jd4mzcptqvcib574mqz','mastodon:mastodon.example/117659978956800001','posts','{"rev": "3n2vlhtjcw222", "mark": "3n2vlhtjcw222"}','2026-11-22T12:00:00+00:00');
CREATE TABLE "drafts" (
   "id" INTEGER PRIMARY KEY,
   "bot" TEXT,
   "target" TEXT NOT NULL,
   "source" TEXT NOT NULL,
   "source_id" TEXT NOT NULL,
   "source_url" TEXT,
   "part" INTEGER NOT NULL,
   "parts" INTEGER,
   "generation" INTEGER NOT NULL,
   "key" TEXT NOT NULL,
   "draft" TEXT NOT NULL,
   "backfill" INTEGER,
   "state" TEXT NOT NULL,
   "attempts" INTEGER,
   "not_before" TEXT,
   "blocks" TEXT,
   "attempted_at" TEXT,
   "doubted_at" TEXT,
   "newest" TEXT,
   "absences" INTEGER,
   "uploads" TEXT,
   "uploaded_at" TEXT,
   "payload" TEXT,
   "error" TEXT
, "code" TEXT NOT NULL DEFAULT '', "approved" INTEGER NOT NULL DEFAULT 0, "created_at" TEXT NOT NULL DEFAULT '', "follows" INTEGER NOT NULL DEFAULT 0);
INSERT INTO "drafts" VALUES(1,'daily','bluesky:did:plc:eryy2chojruafzslmkd5tzji','mastodon:mastodon.example/117659978956800000','117659979022336000','https://mastodon.example/@anna/117659979022336000',1,1,0,'b5739224cb9f3800ea16e5529ca25845e3fb4e81dbdada0dc1fe01deb172a81a','{"runs":[{"text":"Første innlegg, med lenke ","kind":"text","target":"","name":""},{"text":"example.com/a?b=1","kind":"link","target":"https://example.com/a?b=1","name":""}],"created_at":"2026-11-22T12:00:01+00:00","part":1,"parts":1,"languages":[],"content_warning":"","sensitive":false,"visibility":"public","media":[],"reply_to":null,"losses":[],"labels":[],"poll":null}',0,'sent',0,NULL,'','2026-11-22T12:00:04+00:00','2026-11-22T12:00:04+00:00','',0,NULL,NULL,'{"rkey":"3n2vkvsdp23hj","record":{"$type":"app.bsky.feed.post","text":"Første innlegg, med lenke example.com/a?b=1","createdAt":"2026-11-22T12:00:01.000Z","tribridgeKey":"b5739224cb9f3800ea16e5529ca25845e3fb4e81dbdada0dc1fe01deb172a81a","facets":[{"index":{"byteStart":27,"byteEnd":44},"features":[{"$type":"app.bsky.richtext.facet#link","uri":"https://example.com/a?b=1"}]}]}}','','',0,'2026-11-22T12:00:01+00:00',0);
INSERT INTO "drafts" VALUES(2,'daily','twitter:188005024184452355','mastodon:mastodon.example/117659978956800000','117659979022336000','https://mastodon.example/@anna/117659979022336000',1,1,0,'4eccfc5a4b6d26642a6aa5b8728333129f66aa902f271a915ae3132ecabcd2c6','{"runs":[{"text":"Første innlegg, med lenke ","kind":"text","target":"","name":""},{"text":"https://example.com/a?b=1","kind":"link","target":"https://example.com/a?b=1","name":""}],"created_at":"2026-11-22T12:00:01+00:00","part":1,"parts":1,"languages":[],"content_warning":"","sensitive":false,"visibility":"public","media":[],"reply_to":null,"losses":[],"labels":[],"poll":null}',0,'sent',0,NULL,'','2026-11-22T12:00:04+00:00','2026-11-22T12:00:04+00:00','',0,NULL,NULL,'{"text":"Første innlegg, med lenke https://example.com/a?b=1"}','','',0,'2026-11-22T12:00:01+00:00',0);
INSERT INTO "drafts" VALUES(3,'daily','bluesky:did:plc:eryy2chojruafzslmkd5tzji','mastodon:mastodon.example/117659978956800000','117659979087872000','https://mastodon.example/@anna/117659979087872000',1,1,0,'e36bd4037e8c7b5731256141947b44e03925b4589fca771bc3595cfe9bdba949','{"runs":[{"text":"Og fortsettelsen 🧵","kind":"text","target":"","name":""}],"created_at":"2026-11-22T12:00:02+00:00","part":1,"parts":1,"languages":[],"content_warning":"","sensitive":false,"visibility":"public","media":[],"reply_to":{"id":"117659979022336000","account":"mastodon:mastodon.example/117659978956800000","url":"","uri":"","cid":""},"losses":[],"labels":[],"poll":null}',0,'sent',0,NULL,'','2026-11-22T12:00:04+00:00','2026-11-22T12:00:04+00:00','',0,NULL,NULL,'{"rkey":"3n2vkvtftgon6","record":{"$type":"app.bsky.feed.post","text":"Og fortsettelsen 🧵","createdAt":"2026-11-22T12:00:02.000Z","tribridgeKey":"e36bd4037e8c7b5731256141947b44e03925b4589fca771bc3595cfe9bdba949","reply":{"root":{"uri":"at://did:plc:eryy2chojruafzslmkd5tzji/app.bsky.feed.post/3n2vkvsdp23hj","cid":"bafyreiepv4g4bmemktus56c5ph2wojoicbbb34gb6oora5aztwoipg7mie"},"parent":{"uri":"at://did:plc:eryy2chojruafzslmkd5tzji/app.bsky.feed.post/3n2vkvsdp23hj","cid":"bafyreiepv4g4bmemktus56c5ph2wojoicbbb34gb6oora5aztwoipg7mie"}}}}','','',0,'2026-11-22T12:00:02+00:00',1);
INSERT INTO "drafts" VALUES(4,'daily','twitter:188005024184452355','mastodon:mastodon.example/117659978956800000','117659979087872000','https://mastodon.example/@anna/117659979087872000',1,1,0,'bfe20947e0a10d2e280dd160f5af5ea293d6bc7b98d391163c217353c1db3ce7','{"runs":[{"text":"Og fortsettelsen 🧵","kind":"text","target":"","name":""}],"created_at":"2026-11-22T12:00:02+00:00","part":1,"parts":1,"languages":[],"content_warning":"","sensitive":false,"visibility":"public","media":[],"reply_to":{"id":"117659979022336000","account":"mastodon:mastodon.example/117659978956800000","url":"","uri":"","cid":""},"losses":[],"labels":[],"poll":null}',0,'sent',0,NULL,'','2026-11-22T12:00:04+00:00','2026-11-22T12:00:04+00:00','2124472980468662272',0,NULL,NULL,'{"text":"Og fortsettelsen 🧵","reply":{"in_reply_to_tweet_id":"2124472980468662272"}}','','',0,'2026-11-22T12:00:02+00:00',1);
INSERT INTO "drafts" VALUES(5,'pair','bluesky:did:plc:m6mr3jd4mzcptqvcib574mqz','mastodon:mastodon.example/117659978956800001','117659979218944000','https://mastodon.example/@berit/117659979218944000',1,1,0,'9e790fcddd0c65bf38b64b7da14a918afdbd82a99425ae87ff8369777f2c27b8','{"runs":[{"text":"最初の投稿","kind":"text","target":"","name":""}],"created_at":"2026-11-22T12:00:04+00:00","part":1,"parts":1,"languages":[],"content_warning":"","sensitive":false,"visibility":"public","media":[],"reply_to":null,"losses":[],"labels":[],"poll":null}',0,'sent',0,NULL,'','2026-11-22T12:00:04+00:00','2026-11-22T12:00:04+00:00','',0,NULL,NULL,'{"rkey":"3n2vkvuunlasj","record":{"$type":"app.bsky.feed.post","text":"最初の投稿","createdAt":"2026-11-22T12:00:04.000Z","tribridgeKey":"9e790fcddd0c65bf38b64b7da14a918afdbd82a99425ae87ff8369777f2c27b8"}}','','',0,'2026-11-22T12:00:04+00:00',0);
INSERT INTO "drafts" VALUES(6,'daily','bluesky:did:plc:eryy2chojruafzslmkd5tzji','mastodon:mastodon.example/117659978956800000','117659998945280000','https://mastodon.example/@anna/117659998945280000',1,1,0,'d58e6f9c4b413ce293be87357516680f814a4eba3929d2a4ec7245de1e63ef40','{"runs":[{"text":"Nettverket vil ikke ha denne","kind":"text","target":"","name":""}],"created_at":"2026-11-22T12:05:05+00:00","part":1,"parts":1,"languages":[],"content_warning":"","sensitive":false,"visibility":"public","media":[],"reply_to":null,"losses":[],"labels":[],"poll":null}',0,'dead',0,NULL,'','2026-11-22T12:05:05+00:00','2026-11-22T12:05:05+00:00','',0,NULL,NULL,'{"rkey":"3n2vl6u5vsmmf","record":{"$type":"app.bsky.feed.post","text":"Nettverket vil ikke ha denne","createdAt":"2026-11-22T12:05:05.000Z","tribridgeKey":"d58e6f9c4b413ce293be87357516680f814a4eba3929d2a4ec7245de1e63ef40"}}','the server refused (400)','refused',0,'2026-11-22T12:05:05+00:00',0);
INSERT INTO "drafts" VALUES(7,'daily','twitter:188005024184452355','mastodon:mastodon.example/117659978956800000','117659998945280000','https://mastodon.example/@anna/117659998945280000',1,1,0,'1b8650567c35998692b331b6d11942b0778fe10832e13265cb7b8781053a89bf','{"runs":[{"text":"Nettverket vil ikke ha denne","kind":"text","target":"","name":""}],"created_at":"2026-11-22T12:05:05+00:00","part":1,"parts":1,"languages":[],"content_warning":"","sensitive":false,"visibility":"public","media":[],"reply_to":null,"losses":[],"labels":[],"poll":null}',0,'sent',0,NULL,'','2026-11-22T12:05:05+00:00','2026-11-22T12:05:05+00:00','2124472980468662273',0,NULL,NULL,'{"text":"Nettverket vil ikke ha denne"}','','',0,'2026-11-22T12:05:05+00:00',0);
INSERT INTO "drafts" VALUES(8,'pair','mastodon:mastodon.example/117659978956800001','bluesky:did:plc:m6mr3jd4mzcptqvcib574mqz','3n2vlhtjcw22b','https://bsky.app/profile/berit.test/post/3n2vlhtjcw22b',1,1,0,'1f09ec55dfe0b6cc0f8917fd258a06e2beaf93b78a767fb40584abea4c0c227c','{"runs":[{"text":"В пути, и никто не знает","kind":"text","target":"","name":""}],"created_at":"2026-11-22T12:10:06+00:00","part":1,"parts":1,"languages":[],"content_warning":"","sensitive":false,"visibility":"public","media":[],"reply_to":null,"losses":[],"labels":[],"poll":null}',0,'sending',1,'2026-11-22T12:11:06+00:00','account','2026-11-22T12:10:06+00:00','2026-11-22T12:10:06+00:00','117659979218944000',0,NULL,NULL,'{"status":"В пути, и никто не знает","visibility":"public","sensitive":false}','in doubt: looking once more before sending again','doubt',0,'2026-11-22T12:10:06+00:00',0);
INSERT INTO "drafts" VALUES(9,'daily','bluesky:did:plc:eryy2chojruafzslmkd5tzji','mastodon:mastodon.example/117659978956800000','117660018737152000','https://mastodon.example/@anna/117660018737152000',1,1,0,'246c43fadb686329d8d03e9682a44219462ffc1954195b01ab5bde7d26730a8c','{"runs":[{"text":"Blir for gammel","kind":"text","target":"","name":""}],"created_at":"2026-11-22T12:10:07+00:00","part":1,"parts":1,"languages":[],"content_warning":"","sensitive":false,"visibility":"public","media":[],"reply_to":null,"losses":[],"labels":[],"poll":null}',0,'queued',0,NULL,'',NULL,NULL,NULL,0,NULL,NULL,NULL,'','',0,'2026-11-22T12:10:07+00:00',0);
INSERT INTO "drafts" VALUES(10,'daily','twitter:188005024184452355','mastodon:mastodon.example/117659978956800000','117660018737152000','https://mastodon.example/@anna/117660018737152000',1,1,0,'4217c9a43527a38d38fe9f0b24beb39def166c427be198ec344b576ff6f01d84','{"runs":[{"text":"Blir for gammel","kind":"text","target":"","name":""}],"created_at":"2026-11-22T12:10:07+00:00","part":1,"parts":1,"languages":[],"content_warning":"","sensitive":false,"visibility":"public","media":[],"reply_to":null,"losses":[],"labels":[],"poll":null}',0,'held',0,NULL,'',NULL,NULL,NULL,0,NULL,NULL,NULL,'older than the bot''s max_age before it could be sent','late',0,'2026-11-22T12:10:07+00:00',0);
INSERT INTO "drafts" VALUES(11,'daily','bluesky:did:plc:eryy2chojruafzslmkd5tzji','mastodon:mastodon.example/117659978956800000','117677005733888000','https://mastodon.example/@anna/117677005733888000',1,1,0,'b64220101a4ed83dc3391a9ead6ad15e985b93f77b138a441eeba1ac91970f2e','{"runs":[{"text":"Venter ennå","kind":"text","target":"","name":""}],"created_at":"2026-11-25T12:10:08+00:00","part":1,"parts":1,"languages":[],"content_warning":"","sensitive":false,"visibility":"public","media":[],"reply_to":null,"losses":[],"labels":[],"poll":null}',0,'queued',0,NULL,'',NULL,NULL,NULL,0,NULL,NULL,NULL,'','',0,'2026-11-25T12:10:08+00:00',0);
INSERT INTO "drafts" VALUES(12,'daily','twitter:188005024184452355','mastodon:mastodon.example/117659978956800000','117677005733888000','https://mastodon.example/@anna/117677005733888000',1,1,0,'4d8dbc684c5ac12d3b9c59634982ddf95190abd0664c383c598180fba048f4d0','{"runs":[{"text":"Venter ennå","kind":"text","target":"","name":""}],"created_at":"2026-11-25T12:10:08+00:00","part":1,"parts":1,"languages":[],"content_warning":"","sensitive":false,"visibility":"public","media":[],"reply_to":null,"losses":[],"labels":[],"poll":null}',0,'queued',0,NULL,'',NULL,NULL,NULL,0,NULL,NULL,NULL,'','',0,'2026-11-25T12:10:08+00:00',0);
CREATE TABLE "facts" (
   "name" TEXT PRIMARY KEY,
   "value" TEXT
);
INSERT INTO "facts" VALUES('made up','made up');
CREATE TABLE "links" (
   "origin" TEXT,
   "origin_id" TEXT,
   "identity" TEXT,
   "part" INTEGER,
   "role" TEXT,
   "post_id" TEXT,
   "url" TEXT,
   "uri" TEXT,
   "cid" TEXT,
   "root" TEXT,
   "at" TEXT,
   PRIMARY KEY ("origin", "origin_id", "identity", "part")
);
INSERT INTO "links" VALUES('mastodon:mastodon.example/117659978956800000','117659979022336000','mastodon:mastodon.example/117659978956800000',1,'origin','117659979022336000','https://mastodon.example/@anna/117659979022336000','','','','2026-11-22T12:00:04+00:00');
INSERT INTO "links" VALUES('mastodon:mastodon.example/117659978956800000','117659979087872000','mastodon:mastodon.example/117659978956800000',1,'origin','117659979087872000','https://mastodon.example/@anna/117659979087872000','','','','2026-11-22T12:00:04+00:00');
INSERT INTO "links" VALUES('mastodon:mastodon.example/117659978956800001','117659979218944000','mastodon:mastodon.example/117659978956800001',1,'origin','117659979218944000','https://mastodon.example/@berit/117659979218944000','','','','2026-11-22T12:00:04+00:00');
INSERT INTO "links" VALUES('mastodon:mastodon.example/117659978956800000','117659979022336000','bluesky:did:plc:eryy2chojruafzslmkd5tzji',1,'copy','3n2vkvsdp23hj','https://bsky.app/profile/anna.test/post/3n2vkvsdp23hj','at://did:plc:eryy2chojruafzslmkd5tzji/app.bsky.feed.post/3n2vkvsdp23hj','bafyreiepv4g4bmemktus56c5ph2wojoicbbb34gb6oora5aztwoipg7mie','','2026-11-22T12:00:04+00:00');
INSERT INTO "links" VALUES('mastodon:mastodon.example/117659978956800000','117659979087872000','bluesky:did:plc:eryy2chojruafzslmkd5tzji',1,'copy','3n2vkvtftgon6','https://bsky.app/profile/anna.test/post/3n2vkvtftgon6','at://did:plc:eryy2chojruafzslmkd5tzji/app.bsky.feed.post/3n2vkvtftgon6','bafyreiep76uvhfq3cwi5ns4qimjxc4rpbgrw2urg6tpy43z5ytzpn3ng34','["3n2vkvsdp23hj","bluesky:did:plc:eryy2chojruafzslmkd5tzji","https://bsky.app/profile/anna.test/post/3n2vkvsdp23hj","at://did:plc:eryy2chojruafzslmkd5tzji/app.bsky.feed.post/3n2vkvsdp23hj","bafyreiepv4g4bmemktus56c5ph2wojoicbbb34gb6oora5aztwoipg7mie"]','2026-11-22T12:00:04+00:00');
INSERT INTO "links" VALUES('mastodon:mastodon.example/117659978956800000','117659979022336000','twitter:188005024184452355',1,'copy','2124472980468662272','https://x.com/anna/status/2124472980468662272','','','','2026-11-22T12:00:04+00:00');
INSERT INTO "links" VALUES('mastodon:mastodon.example/117659978956800000','117659979087872000','twitter:188005024184452355',1,'copy','2124472980468662273','https://x.com/anna/status/2124472980468662273','','','["2124472980468662272","twitter:188005024184452355","https://x.com/anna/status/2124472980468662272","",""]','2026-11-22T12:00:04+00:00');
INSERT INTO "links" VALUES('mastodon:mastodon.example/117659978956800001','117659979218944000','bluesky:did:plc:m6mr3jd4mzcptqvcib574mqz',1,'copy','3n2vkvuunlasj','https://bsky.app/profile/berit.test/post/3n2vkvuunlasj','at://did:plc:m6mr3jd4mzcptqvcib574mqz/app.bsky.feed.post/3n2vkvuunlasj','bafyreihtzffue37d4ewyprhsflomfod53l4ql3ojmqk6wpdch3aoxcg34y','','2026-11-22T12:00:04+00:00');
INSERT INTO "links" VALUES('mastodon:mastodon.example/117659978956800000','117659998945280000','mastodon:mastodon.example/117659978956800000',1,'origin','117659998945280000','https://mastodon.example/@anna/117659998945280000','','','','2026-11-22T12:05:05+00:00');
INSERT INTO "links" VALUES('mastodon:mastodon.example/117659978956800000','117659998945280000','twitter:188005024184452355',1,'copy','2124474242954166272','https://x.com/anna/status/2124474242954166272','','','','2026-11-22T12:05:05+00:00');
INSERT INTO "links" VALUES('bluesky:did:plc:m6mr3jd4mzcptqvcib574mqz','3n2vlhtjcw22b','bluesky:did:plc:m6mr3jd4mzcptqvcib574mqz',1,'origin','3n2vlhtjcw22b','https://bsky.app/profile/berit.test/post/3n2vlhtjcw22b','at://did:plc:m6mr3jd4mzcptqvcib574mqz/app.bsky.feed.post/3n2vlhtjcw22b','bafyreidjaiyphktvfjvn4tn2xhqcyizfxwzkrbdmell6dujc6sophognt4','','2026-11-22T12:10:06+00:00');
INSERT INTO "links" VALUES('mastodon:mastodon.example/117659978956800000','117660018737152000','mastodon:mastodon.example/117659978956800000',1,'origin','117660018737152000','https://mastodon.example/@anna/117660018737152000','','','','2026-11-22T12:10:07+00:00');
INSERT INTO "links" VALUES('mastodon:mastodon.example/117659978956800000','117677005733888000','mastodon:mastodon.example/117659978956800000',1,'origin','117677005733888000','https://mastodon.example/@anna/117677005733888000','','','','2026-11-25T12:10:08+00:00');
CREATE TABLE "orders" (
   "id" INTEGER PRIMARY KEY,
   "kind" TEXT NOT NULL,
   "argument" TEXT NOT NULL,
   "at" TEXT NOT NULL,
   "done_at" TEXT,
   "answer" TEXT,
   "ok" INTEGER
);
INSERT INTO "orders" VALUES(1,'made up','made up','made up','made up','made up',1);
CREATE TABLE "pauses" (
   "kind" TEXT,
   "name" TEXT,
   "at" TEXT,
   PRIMARY KEY ("kind", "name")
);
INSERT INTO "pauses" VALUES('made up','made up','made up');
CREATE TABLE "seen" (
   "bot" TEXT,
   "source" TEXT,
   "target" TEXT,
   "post_id" TEXT,
   "revision" TEXT,
   "verdict" TEXT,
   "reason" TEXT,
   "url" TEXT,
   "at" TEXT,
   PRIMARY KEY ("bot", "source", "target", "post_id", "revision")
);
INSERT INTO "seen" VALUES('daily','mastodon:mastodon.example/117659978956800000','bluesky:did:plc:eryy2chojruafzslmkd5tzji','117659979022336000','','queued','','https://mastodon.example/@anna/117659979022336000','2026-11-22T12:00:04+00:00');
INSERT INTO "seen" VALUES('daily','mastodon:mastodon.example/117659978956800000','twitter:188005024184452355','117659979022336000','','queued','','https://mastodon.example/@anna/117659979022336000','2026-11-22T12:00:04+00:00');
INSERT INTO "seen" VALUES('daily','mastodon:mastodon.example/117659978956800000','bluesky:did:plc:eryy2chojruafzslmkd5tzji','117659979087872000','','queued','','https://mastodon.example/@anna/117659979087872000','2026-11-22T12:00:04+00:00');
INSERT INTO "seen" VALUES('daily','mastodon:mastodon.example/117659978956800000','twitter:188005024184452355','117659979087872000','','queued','','https://mastodon.example/@anna/117659979087872000','2026-11-22T12:00:04+00:00');
INSERT INTO "seen" VALUES('daily','mastodon:mastodon.example/117659978956800000','bluesky:did:plc:eryy2chojruafzslmkd5tzji','117659979153408000','','skipped','skip: hashtag nobridge','https://mastodon.example/@anna/117659979153408000','2026-11-22T12:00:04+00:00');
INSERT INTO "seen" VALUES('daily','mastodon:mastodon.example/117659978956800000','twitter:188005024184452355','117659979153408000','','skipped','skip: hashtag nobridge','https://mastodon.example/@anna/117659979153408000','2026-11-22T12:00:04+00:00');
INSERT INTO "seen" VALUES('pair','mastodon:mastodon.example/117659978956800001','bluesky:did:plc:m6mr3jd4mzcptqvcib574mqz','117659979218944000','','queued','','https://mastodon.example/@berit/117659979218944000','2026-11-22T12:00:04+00:00');
INSERT INTO "seen" VALUES('daily','mastodon:mastodon.example/117659978956800000','bluesky:did:plc:eryy2chojruafzslmkd5tzji','117659998945280000','','queued','','https://mastodon.example/@anna/117659998945280000','2026-11-22T12:05:05+00:00');
INSERT INTO "seen" VALUES('daily','mastodon:mastodon.example/117659978956800000','twitter:188005024184452355','117659998945280000','','queued','','https://mastodon.example/@anna/117659998945280000','2026-11-22T12:05:05+00:00');
INSERT INTO "seen" VALUES('pair','bluesky:did:plc:m6mr3jd4mzcptqvcib574mqz','mastodon:mastodon.example/117659978956800001','3n2vkvuunlasj','','skipped','copy of a post of mastodon:mastodon.example/117659978956800001','https://bsky.app/profile/berit.test/post/3n2vkvuunlasj','2026-11-22T12:05:05+00:00');
INSERT INTO "seen" VALUES('pair','bluesky:did:plc:m6mr3jd4mzcptqvcib574mqz','mastodon:mastodon.example/117659978956800001','3n2vlhtjcw22b','','queued','','https://bsky.app/profile/berit.test/post/3n2vlhtjcw22b','2026-11-22T12:10:06+00:00');
INSERT INTO "seen" VALUES('daily','mastodon:mastodon.example/117659978956800000','bluesky:did:plc:eryy2chojruafzslmkd5tzji','117660018737152000','','queued','','https://mastodon.example/@anna/117660018737152000','2026-11-22T12:10:07+00:00');
INSERT INTO "seen" VALUES('daily','mastodon:mastodon.example/117659978956800000','twitter:188005024184452355','117660018737152000','','queued','','https://mastodon.example/@anna/117660018737152000','2026-11-22T12:10:07+00:00');
INSERT INTO "seen" VALUES('daily','mastodon:mastodon.example/117659978956800000','bluesky:did:plc:eryy2chojruafzslmkd5tzji','117677005733888000','','queued','','https://mastodon.example/@anna/117677005733888000','2026-11-25T12:10:08+00:00');
INSERT INTO "seen" VALUES('daily','mastodon:mastodon.example/117659978956800000','twitter:188005024184452355','117677005733888000','','queued','','https://mastodon.example/@anna/117677005733888000','2026-11-25T12:10:08+00:00');
CREATE TABLE "sessions" (
   "identity" TEXT PRIMARY KEY,
   "data" TEXT
);
INSERT INTO "sessions" VALUES('mastodon:mastodon.example/117659978956800000','{"made": "up"}');
INSERT INTO "sessions" VALUES('bluesky:did:plc:eryy2chojruafzslmkd5tzji','{"made": "up"}');
INSERT INTO "sessions" VALUES('twitter:188005024184452355','{"made": "up"}');
INSERT INTO "sessions" VALUES('mastodon:mastodon.example/117659978956800001','{"made": "up"}');
INSERT INTO "sessions" VALUES('bluesky:did:plc:m6mr3jd4mzcptqvcib574mqz','{"made": "up"}');
CREATE TABLE "spend" (
   "identity" TEXT,
   "day" TEXT,
   "kind" TEXT,
   "reserved" REAL,
   "spent" REAL,
   PRIMARY KEY ("identity", "day", "kind")
);
INSERT INTO "spend" VALUES('twitter:188005024184452355','2026-11-22','user_read',0.0,0.01);
INSERT INTO "spend" VALUES('twitter:188005024184452355','2026-11-22','owned_read',0.015,0.0);
INSERT INTO "spend" VALUES('twitter:188005024184452355','2026-11-22','post_with_url',0.0,0.2);
INSERT INTO "spend" VALUES('twitter:188005024184452355','2026-11-22','post',0.0,0.03);
CREATE UNIQUE INDEX "idx__sqlite_migrations_migration_set_name"
    ON "_sqlite_migrations" ("migration_set", "name");
CREATE INDEX "idx_seen_source_revision"
    ON "seen" ("source", "revision");
CREATE UNIQUE INDEX "idx_drafts_target_source_source_id_part_generation"
    ON "drafts" ("target", "source", "source_id", "part", "generation");
CREATE INDEX "idx_drafts_target_state_id"
    ON "drafts" ("target", "state", "id");
CREATE UNIQUE INDEX "idx_links_identity_post_id"
    ON "links" ("identity", "post_id");
CREATE INDEX "idx_drafts_state_target_id"
    ON "drafts" ("state", "target", "id");
CREATE INDEX "idx_drafts_target_attempted_at"
    ON "drafts" ("target", "attempted_at");
CREATE INDEX "idx_drafts_target_created_at"
    ON "drafts" ("target", "created_at");
CREATE INDEX idx_seen_held ON seen (source, post_id) WHERE verdict='held';
CREATE INDEX idx_drafts_parent ON drafts (target, state) WHERE code='parent';
CREATE INDEX idx_drafts_blocking ON drafts (target, state) WHERE blocks<>'';
COMMIT;
