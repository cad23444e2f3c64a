// Test cases: recorded requests that were marked to be asked again.
import { useState } from "preact/hooks";
import { call, mayChange } from "../lib/api";
import { full } from "../lib/format";
import { useKeyNames } from "../lib/key-names";
import { useLoad } from "../lib/load";
import { link, place } from "../lib/router";
import { has } from "../lib/session";
import type { TestCase } from "../lib/types";
import { Button, Card, Empty, Page, Shown } from "../ui/basics";
import { Dialog } from "../ui/fields";
import { Request } from "../ui/said";
import { Table } from "../ui/table";
import { say } from "../ui/toasts";
import { Replay } from "./replay";

export function TestsPage() {
  const [, id] = place.value.path;
  return id ? <OneTest key={id} id={id} /> : <TestList />;
}

function TestList() {
  const tests = useLoad<{ test_cases: TestCase[] }>("/api/test-cases");
  const nameOf = useKeyNames();
  const [dropping, setDropping] = useState<TestCase | null>(null);
  return (
    <Page
      title="Test cases"
      about="Recorded requests that somebody marked. They stay, sealed, when their trace has gone, and can be asked again of any model."
    >
      <Card flush>
        <Shown of={tests}>
          {(data) =>
            data.test_cases.length === 0 ? (
              <Empty title="There is no test case" icon="flask">
                Open a trace whose contents were kept, and mark it as a test case.
              </Empty>
            ) : (
              <Table
                label="Test cases"
                rows={data.test_cases}
                id={(row) => row.id}
                columns={[
                  {
                    name: "Note",
                    show: (row) =>
                      mayChange() ? <a href={link(["tests", row.id])}>{row.note || row.id}</a> : row.note || row.id,
                  },
                  { name: "Model", show: (row) => row.model },
                  { name: "From", show: (row) => <a href={link(["traces", row.trace])}>its trace</a> },
                  { name: "Marked by", show: (row) => nameOf(row.made_by) },
                  { name: "Marked", nowrap: true, show: (row) => full(row.made_at) },
                  mayChange() && {
                    name: "",
                    right: true,
                    show: (row: TestCase) => (
                      <Button
                        small
                        tone="bad"
                        aria-label={`Delete ${row.note || row.id}`}
                        onClick={() => setDropping(row)}
                      >
                        Delete
                      </Button>
                    ),
                  },
                ]}
              />
            )
          }
        </Shown>
      </Card>
      {dropping && (
        <DropDialog
          of={dropping}
          close={() => setDropping(null)}
          done={() => {
            setDropping(null);
            tests.reload();
          }}
        />
      )}
    </Page>
  );
}

function OneTest({ id }: { id: string }) {
  const test = useLoad<TestCase>(`/api/test-cases/${encodeURIComponent(id)}`);
  const nameOf = useKeyNames();
  return (
    <Page
      title="Test case"
      about={
        <>
          <a href={link("tests")}>Test cases</a> · <code>{id}</code>
        </>
      }
    >
      <Shown of={test}>
        {(data) => (
          <>
            <Card title={data.note || "Without a note"} about={`Marked by ${nameOf(data.made_by)}, ${full(data.made_at)}`}>
              {data.contents?.request ? (
                <Request text={data.contents.request} />
              ) : (
                <p class="soft">Its contents cannot be opened any more.</p>
              )}
            </Card>
            {has("playground") && mayChange() && data.contents?.request && (
              <Replay trace={{ ...data, request_id: data.id }} />
            )}
          </>
        )}
      </Shown>
    </Page>
  );
}

function DropDialog({ of, close, done }: { of: TestCase; close: () => void; done: () => void }) {
  const submit = async () => {
    await call("DELETE", `/api/test-cases/${encodeURIComponent(of.id)}`);
    say("The test case is deleted");
    done();
  };
  return (
    <Dialog title="Delete this test case?" close={close} submit={submit} word="Delete" bad>
      <p>{of.note || of.id}: its request and answer are gone then.</p>
    </Dialog>
  );
}
